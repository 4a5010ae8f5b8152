"""The body of an answer as records, each as it is written there; what is no JSON, or has no records where they should be, is told."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from xde.connectors.http.calls import words_of
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.raw_json import elements, end_of, parsed, place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from xde.connectors.http.calls import Answer, Call
    from xde.lifecycle.sources.tables import Ask


@dataclass(frozen=True, slots=True)
class Body:
    """A document as text and as data, and its records, each as text and as data."""

    text: str
    document: Any
    records: Sequence[tuple[str, Any]]


def read_body(ask: Ask, call: Call, answer: Answer, *, more: bool = False) -> Body:
    """The records of an answer. An empty one has none, unless it would take all that is there away: then it is no list.

    Raises `UserError`, or `TemporaryError` where it may have been cut.
    """
    try:
        text = answer.body.decode(encoding_of(answer))
    except (UnicodeDecodeError, LookupError) as error:
        raise UserError(_no_json(ask, call, answer, str(error))) from error
    if not text.strip():
        if ask.asked.cursor or more or answer.status in {204, 205} or _is_lines(answer):
            return Body(text, None, ())
        why = "it is empty, which is not the same as a list without records: it would replace all that is there by nothing"
        hint = "load it again; if this is how the API says that it has nothing, leave it until it has"
        raise UserError(replace(_no_json(ask, call, answer, why), hint=hint))
    if _is_lines(answer):
        text = "[" + ",".join(line for line in text.split("\n") if line.strip()) + "]"
    try:
        document = parsed(text)
    except (json.JSONDecodeError, RecursionError) as error:
        place_of = (
            f"{error.msg} at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "nested too deep"
        )
        if not answer.framed and text.lstrip()[:1] in {"{", "["}:
            told = (
                f"`{ask.dataset}`: the answer to `{call.shown}` is no JSON, and its length was not told: it may have been cut ({place_of})"
            )
            raise TemporaryError(told) from error
        raise UserError(_no_json(ask, call, answer, place_of)) from error
    return Body(text, document, tuple(_records(ask, call, text, document)))


def _is_lines(answer: Answer) -> bool:
    """Whether it says that it is a record a line (NDJSON)."""
    return re.search(r"ndjson|jsonl|json-?lines", answer.headers.get("content-type", ""), re.IGNORECASE) is not None


def encoding_of(answer: Answer) -> str:
    """As it says, or UTF-8 (RFC 8259, 8.1), with a mark or without."""
    said = re.search(r"charset\s*=\s*\"?([^\s\";,]+)", answer.headers.get("content-type", ""), re.IGNORECASE)
    return "utf-8-sig" if said is None or said[1].lower() in {"utf-8", "utf8"} else said[1]


def _no_json(ask: Ask, call: Call, answer: Answer, why: str) -> Finding:
    words = "" if ask.private else words_of(answer)
    page = "html" in answer.headers.get("content-type", "") or words_of(answer)[:1] == "<"
    told = f"`{ask.dataset}`: the answer to `{call.shown}` is {'a web page' if page else 'no JSON'}"
    if page:
        hint = "look whether `location` is that of the API, and whether it sends whoever has no right to a page where one logs in"
        return Finding("XDE0447", told, ask.span, "no JSON", words, hint)
    return Finding(
        "XDE0447",
        told,
        ask.span,
        "no JSON",
        f"{why}: {words}" if words else why,
        "look at it with `curl`; an API of JSON is what can be read",
    )


def _records(ask: Ask, call: Call, text: str, document: object) -> Iterator[tuple[str, Any]]:
    path = ask.asked.records
    start = place(text, path or ())
    if start >= 0 and text[start] == "[":
        return elements(text, start)
    if start >= 0 and path is not None and text[start] == "{":
        end = end_of(text, start)
        return iter([(text[start:end], parsed(text[start:end]))])
    if start >= 0 and path is not None and text.startswith("null", start):
        return iter(())
    lists = [n for n, v in document.items() if isinstance(v, list)] if isinstance(document, dict) else []
    where = "no records at `" + ".".join(path) + "`" if path else "no list of records"
    members = ", ".join(f"`{n}`" for n in list(document)[:12]) if isinstance(document, dict) else ""
    why = f"its members: {members}" if members else f"it is `{text.strip()[:60]}`" if not ask.private else "it is no object"
    hint = f"write the way to them as `records` of `xdeRequest`, such as `records: {lists[0] if lists else 'data.items'}`"
    if path is None and isinstance(document, dict) and not lists:
        hint += "; `records: .` if the answer itself is one record"
    told = f"`{ask.dataset}`: the answer to `{call.shown}` has {where}"
    raise UserError(Finding("XDE0448", told, ask.span, "not there", why, hint))
