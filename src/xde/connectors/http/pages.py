"""Pages of an API: what is asked first, what a page says of the next, and how their end is told from a loop."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from xde.connectors.http.bodies import read_body
from xde.connectors.http.calls import Answer, Call, led_to, with_query, without_query
from xde.ground.digests import bytes_digest
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.ground.raw_json import steps, value_at

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from xde.connectors.http.bodies import Body
    from xde.connectors.http.calls import Send
    from xde.lifecycle.sources.apis import Paging, Request
    from xde.lifecycle.sources.tables import Ask

_LINK = re.compile(r"<([^>]*)>((?:\s*;\s*[^\s=;,]+(?:\s*=\s*(?:\"[^\"]*\"|[^\s\";,]+))?)*)")
_WORD = re.compile(r";\s*([^\s=;,]+)\s*=\s*(?:\"([^\"]*)\"|([^\s\";,]+))")


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and whether there is another after it."""

    number: int
    body: Body
    last: bool


@dataclass(slots=True)
class Pages:
    """The pages of a dataset, from the first on; `given` are parameters that every page has (what is new since when).

    `enough` is asked after each page whether those that follow are known already.
    """

    ask: Ask
    send: Send
    given: tuple[tuple[str, str], ...] = ()
    of_all: Collection[str] = ()  # parameters that are added when a call is sent
    enough: Callable[[Page], bool] = lambda _: False
    findings: list[Finding] = field(default_factory=list)
    _asked: dict[tuple[str, bytes | None], int] = field(default_factory=dict)
    _seen: dict[str, int] = field(default_factory=dict)
    _records: int = 0
    _total: int | None = None

    def __iter__(self) -> Iterator[Page]:
        """Ask for one after the other. Raises `UserError` where they go in a circle or there are more than may be."""
        call: Call | None = self.first()
        number = 0
        while call is not None:
            number += 1
            if number > self._paging.most:
                raise UserError(self._too_many())
            self._note(call, number)
            answer = self.send(call)
            if answer.status == 0:  # a recording that ends here on purpose
                return
            body = read_body(self.ask, call, answer, more=number > 1)
            self._look(body, call, number)
            self._records += len(body.records)
            call = self._next(call, answer, body, number)
            page = Page(number, body, call is None)
            yield page
            if call is not None and self.enough(page):
                return

    @property
    def _request(self) -> Request:
        return self.ask.asked

    @property
    def _paging(self) -> Paging:
        return self._request.paging

    def first(self) -> Call:
        """The call for the first page."""
        request, paging = self._request, self._paging
        url = f"{self.ask.place.settings['location'].rstrip('/')}/{request.path.lstrip('/')}"
        call = Call(request.method, url, request.headers, request.body.encode() if request.body is not None else None)
        given = [*request.query] if request.method == "GET" else []
        if request.method == "POST":
            call = replace(call, url=with_query(url, request.query) if request.query else url)
        if paging.size_parameter and paging.size is not None:
            given.append((paging.size_parameter, str(paging.size)))
        given += self.given
        if paging.kind in {"page", "offset"}:
            given.append((paging.parameter, str(paging.first)))
        return self._with(call, given)

    def _with(self, call: Call, more: list[tuple[str, str]]) -> Call:
        """A call with parameters: in the query, or of a search in its body."""
        if call.method == "GET":
            return replace(call, url=with_query(call.url, more)) if more else call
        document = json.loads(call.body) if call.body else {}
        for name, value in more:
            _put(document, name, value)
        headers = (
            call.headers
            if any(n.lower() == "content-type" for n, _ in call.headers)
            else (*call.headers, ("Content-Type", "application/json"))
        )
        return replace(call, body=json.dumps(document, ensure_ascii=False).encode(), headers=headers)

    def _next(self, call: Call, answer: Answer, body: Body, number: int) -> Call | None:
        paging = self._paging
        match paging.kind:
            case "page" | "offset":
                if self._counted_out(body, number):
                    return None
                value = paging.first + (number if paging.kind == "page" else self._records)
                return self._with(call, [(paging.parameter, str(value))])
            case "cursor":
                found = self._led(body, answer)
                return self._with(call, [(paging.parameter, found)]) if found else None
            case "next" | "link":
                found = self._led(body, answer)
                if not found:
                    return None
                followed = led_to(self.ask, call, found)
                return replace(followed, url=without_query(followed.url, self.of_all) if self.of_all else followed.url)
            case _:
                return None

    def _led(self, body: Body, answer: Answer) -> str:
        """What a page says of the next; empty where it is the last. Raises `UserError` for what leads nowhere."""
        paging = self._paging
        last = body.records[-1][1] if body.records else None
        found: object = next_link(answer.headers.get("link", "")) if paging.kind == "link" else value_at(body.document, paging.at)
        if paging.record:
            found = value_at(last, paging.record)
        if isinstance(found, (dict, list)):
            where = ".".join(paging.record or paging.at)
            inner = f"`{where}.{next(iter(found))}`" if isinstance(found, dict) and found else "the text itself"
            told = f"`{self.ask.dataset}`: what stands at `{where}` of a page leads nowhere"
            raise UserError(Finding("XDE0443", told, self.ask.span, "no text", "it is an object or a list", f"write the way to {inner}"))
        if found is None or found is False or found == "" or self._says_last(body):
            self._doubt(body, found)
            return ""
        return str(found)

    def _doubt(self, body: Body, found: object) -> None:
        """Warn where the first page is full and has nothing that leads to a second: a way that is misspelt would lose all that follows."""
        size, here = self._paging.size, len(body.records)
        if found is None and size is not None and here >= size and self._records == here and not self._says_last(body):
            where = (
                "a link `next` in its header" if self._paging.kind == "link" else f"`{'.'.join(self._paging.record or self._paging.at)}`"
            )
            told = f"`{self.ask.dataset}`: the first page is full, but has nothing that leads to another"
            hint = "look at an answer with `curl`; if the API has just so many records, nothing is wrong"
            self.findings.append(Finding("XDE0449", told, self.ask.span, "", f"it does not have {where}", hint, Severity.WARNING))

    def _says_last(self, body: Body) -> bool:
        """Whether a page says that it is; one that says nothing does not."""
        said = value_at(body.document, self._paging.more) if self._paging.more else None
        return said is False or said in ("", "false", "0") or (isinstance(said, int) and not said)

    def _counted_out(self, body: Body, number: int) -> bool:
        paging = self._paging
        total, pages = (_whole(value_at(body.document, p)) if p else None for p in (paging.total, paging.pages))
        if total is not None and not body.records and self._records < total:
            self._tell_missing(total)
        if self._says_last(body) or not body.records:
            return True
        if total is not None and self._total is not None and total < self._total:  # it is asked until it has no more
            self._tell_shrunk(self._total, total)
            return False
        self._total = total
        if (total is not None and self._records >= total) or (pages is not None and number >= pages):
            return True
        return bool(paging.short and paging.size and len(body.records) < paging.size)

    def _tell_shrunk(self, before: int, now: int) -> None:
        """Tell that records went away meanwhile: those after them moved up, some perhaps past the place that was read."""
        told = f"`{self.ask.dataset}`: the API said that it has {before:,} records, and then {now:,}"
        why = "where records are deleted while pages are read by their number, others go by unseen"
        hint = "load it again; if it happens often, take pages by cursor, or a smaller part with `query`"
        if not any(f.message == told for f in self.findings):
            self.findings.append(Finding("XDE0449", told, self.ask.span, "", why, hint, Severity.WARNING))

    def _tell_missing(self, total: int) -> None:
        """Tell that an API has fewer records than it says; some may have been deleted while they were read."""
        told = f"`{self.ask.dataset}`: the API says that it has {total:,} records, and gave {self._records:,}"
        why = "records that are deleted while pages are read by their number make others go by unseen"
        hint = "if it happens again, take pages by cursor, or a smaller part with `query`"
        self.findings.append(Finding("XDE0449", told, self.ask.span, "", why, hint, Severity.WARNING))

    def _note(self, call: Call, number: int) -> None:
        key = (call.url, call.body)
        if key in self._asked:
            raise UserError(self._circle(number, self._asked[key], f"page {number} would be asked for by the same request"))
        self._asked[key] = number

    def _look(self, body: Body, call: Call, number: int) -> None:
        if not body.records:
            return
        known = bytes_digest("\n".join(raw for raw, _ in body.records).encode("utf-8", "surrogatepass"))
        if known in self._seen:
            raise UserError(self._circle(number, self._seen[known], f"`{call.shown}` gave the same {len(body.records)} records"))
        self._seen[known] = number

    def _circle(self, number: int, before: int, why: str) -> Finding:
        told = f"`{self.ask.dataset}`: page {number} is page {before} once more"
        hint = "look whether `parameter` of `pages` is what the API calls it: one that it does not know it may pass over"
        return Finding("XDE0449", told, self.ask.span, "goes in a circle", why, hint)

    def _too_many(self) -> Finding:
        told = f"`{self.ask.dataset}` has more than {self._paging.most:,} pages"
        hint = "raise `most` of `pages`, ask for bigger pages (`size`), or for what is new alone (`since`)"
        return Finding("XDE0453", told, self.ask.span, "too many", "more than that may be a circle", hint)


def next_link(header: str) -> str | None:
    """The target of the link of relation `next` (RFC 8288)."""
    for found in _LINK.finditer(header):
        relations = [w[2] or w[3] or "" for w in _WORD.finditer(found[2]) if w[1].lower() == "rel"]
        if relations and "next" in relations[0].lower().split():
            return found[1]
    return None


def _whole(value: object) -> int | None:
    try:
        return int(str(value)) if value is not None and not isinstance(value, bool) else None
    except ValueError:
        return None


def _put(document: dict[str, Any], name: str, value: str) -> None:
    """Put a value into a document at a path; a whole number as one."""
    *above, last = steps(name)
    for each in above:
        document = document.setdefault(each, {})
    document[last] = int(value) if re.fullmatch(r"0|[1-9][0-9]{0,17}", value) else value
