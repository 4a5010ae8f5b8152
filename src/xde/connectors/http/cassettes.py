"""Cassettes: answers of a real API as files that people read, so that a source can be tried without it.

A file for each request: the request in the first line (and its body in the next), `---`, the status, the headers that matter, an empty
line, the body. Nothing in it tells when it was recorded or by whom, so that recording the same again changes no file.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from xde.connectors.http.bodies import encoding_of
from xde.connectors.http.calls import Answer, Call, Send, origin
from xde.connectors.http.masking import Masks
from xde.connectors.http.retrying import accepted
from xde.connectors.http.signing import names_of_all
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.ground.secrets import HIDDEN, redact
from xde.lifecycle.sources.apis import SECRETS
from xde.lifecycle.sources.tables import CASSETTES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xde.lifecycle.sources.tables import Ask

NOWHERE = "https://api.invalid"  # the address of an API whose own is a reference (RFC 2606)
KEPT = ("content-type", "link")
RULE = "---"
ENDING = ".http"
_CHARSET = re.compile(r"\s*;\s*charset\s*=[^;]*", re.IGNORECASE)
SHORTEST = 4  # characters of a secret that is taken out wherever it stands


def folder_of(ask: Ask, root: Path) -> Path:
    """Where the cassette of a dataset is: that of its first parent, unless another is named."""
    if "cassette" in ask.place.settings:
        return root / ask.place.settings["cassette"]
    return root / ask.place.settings.get("cassettes", CASSETTES) / ask.asked.root.replace(".", "/")


def key_of(method: str, target: str, body: bytes | None) -> tuple[str, str, tuple[tuple[str, str], ...], str]:
    """By what a request is known: order of parameters and members does not count."""
    parts = urlsplit(target)
    try:
        told = json.dumps(json.loads(body), sort_keys=True) if body else ""
    except ValueError:
        told = (body or b"").decode("utf-8", "replace")
    return method, parts.path, tuple(sorted(parse_qsl(parts.query, keep_blank_values=True))), told


def target_of(url: str, location: str) -> str:
    """The address from `location` on."""
    base = location.rstrip("/")
    if url.startswith(base):
        return url[len(base) :]
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


class Recorder:
    """Keeps answers by the way. Nothing is in its place before `put`."""

    def __init__(self, send: Send, ask: Ask, settings: Mapping[str, str], most: int | None = None) -> None:
        self._send, self._ask, self._settings, self._most = send, ask, settings, most
        self._masks = Masks(ask.asked)
        self._kept: dict[object, str] = {}
        self.size = 0

    @property
    def requests(self) -> int:
        """How many were kept."""
        return len(self._kept)

    def allow(self, most: int | None) -> None:
        """Keep so many requests from now on."""
        self._most = None if most is None else len(self._kept) + most

    def __call__(self, call: Call) -> Answer:
        """The answer; beyond `most` nobody is asked, and the recording ends."""
        target = target_of(call.url, self._settings["location"])
        key = key_of(call.method, target, call.body)
        ended = self._most is not None and key not in self._kept and len(self._kept) >= self._most
        answer = Answer(0, {}, b"") if ended else self._send(call)
        if key not in self._kept:
            self._kept[key] = self._written(call, target, answer)
        return answer

    def _written(self, call: Call, target: str, answer: Answer) -> str:
        head = [f"{call.method} {target}"]
        if call.body is not None:
            head.append(call.body.decode("utf-8", "replace"))
        told = [f"{n}: {_CHARSET.sub('', answer.headers[n])}" for n in KEPT if n in answer.headers]
        try:
            body = answer.body.decode(encoding_of(answer))  # and in UTF-8 from here on, so that nothing hides in another
        except (UnicodeDecodeError, LookupError):
            body = answer.body.decode("utf-8", "replace")  # whoever reads it is told
        if answer.status == 0:
            told.append("x-recording: ended here")
        return self._clean("\n".join([*head, RULE, str(answer.status), *told, "", ""])) + self._clean(self._masks.masked(body))

    def _clean(self, text: str) -> str:
        """Without secrets, and without an address that is not in the contract."""
        for name, value in self._settings.items():
            if name in SECRETS and len(value) >= SHORTEST:
                text = text.replace(value, HIDDEN)
        for name in names_of_all(self._settings):
            text = re.sub(rf"([?&]|&amp;|\\u0026){re.escape(name)}=[^&\"\s<>\\]*", rf"\1{name}={HIDDEN}", text)
        for name, value in self._settings.items():
            if name.startswith("headers:") and "${" in self._ask.place.settings.get(name, "") and len(value) >= SHORTEST:
                text = text.replace(value, HIDDEN)
        if "${" in self._ask.place.settings["location"]:
            scheme, host, _ = origin(self._settings["location"])
            text = re.sub(rf"{scheme}://{re.escape(host)}(:[0-9]+)?", NOWHERE, text)
        return redact(text)

    def put(self, folder: Path) -> None:
        """Put all into a folder at once, in the place of what was there."""
        aside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
        gone = folder.with_name(f".{folder.name}.{os.getpid()}.old")
        aside.mkdir(parents=True)
        try:
            for number, text in enumerate(self._kept.values(), 1):
                data = text.encode("utf-8", "surrogateescape")
                self.size += len(data)
                (aside / f"{number:03}{ENDING}").write_bytes(data)
            if folder.exists():
                folder.rename(gone)
            aside.rename(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
            shutil.rmtree(gone, ignore_errors=True)


class Player:
    """Answers from a cassette. A request that is not on it is told, and nobody else is asked."""

    def __init__(self, ask: Ask, folder: Path, root: Path) -> None:
        self._ask = ask
        shown = folder.relative_to(root) if folder.is_relative_to(root) else folder
        self._shown = f"{shown}"
        files = sorted(folder.glob(f"*{ENDING}"))
        if not files:
            told = f"there is no cassette of `{ask.dataset}`"
            why = f"this environment takes the answers of APIs from cassettes, and `{shown}` has none"
            raise UserError(Finding("XDE0456", told, ask.span, "no cassette", why, f"record one: `xde record {ask.dataset}`"))
        self._known: dict[object, Answer] = {}
        self._targets: dict[str, None] = {}
        for file in files:
            self._read(file)

    @property
    def requests(self) -> int:
        """How many are on it."""
        return len(self._known)

    def __call__(self, call: Call) -> Answer:
        """The recorded answer."""
        target = target_of(call.url, location_at_rest(self._ask))
        found = self._known.get(key_of(call.method, target, call.body))
        if found is not None:
            return accepted(self._ask, call, found)
        asked = f"{call.method} {target}" + (f" {call.body.decode('utf-8', 'replace')[:120]}" if call.body else "")
        why = f"`{self._shown}` answers {len(self._targets)} requests, " + ", ".join(f"`{t}`" for t in list(self._targets)[:4])
        near = did_you_mean(asked, self._targets)
        hint = f"record it anew: `xde record {self._ask.dataset}`" + (f"; {near}" if near else "")
        raise UserError(
            Finding("XDE0456", f"`{self._ask.dataset}`: the cassette has no answer to `{asked}`", self._ask.span, "", why, hint)
        )

    def _read(self, file: Path) -> None:
        head, rule, rest = file.read_bytes().replace(b"\r\n", b"\n").partition(f"\n{RULE}\n".encode())
        told, _, body = rest.partition(b"\n\n")
        status, *headers = told.decode("utf-8", "replace").split("\n")
        first, _, sent = head.partition(b"\n")
        method, _, target = first.decode("utf-8", "replace").partition(" ")
        if not rule or not status.isdigit():
            where = f"{self._shown}/{file.name}"
            raise UserError(
                Finding(
                    "XDE0456", f"`{where}` is no recorded answer", self._ask.span, hint=f"record it anew: `xde record {self._ask.dataset}`"
                )
            )
        named = {n.strip().lower(): v.strip() for n, _, v in (h.partition(":") for h in headers)}
        self._known[key_of(method, target, sent or None)] = Answer(int(status), named, body)
        self._targets[f"{method} {target}"] = None


def location_at_rest(ask: Ask) -> str:
    """The address of an API where nobody looks up references."""
    said = ask.place.settings["location"]
    if "${" not in said:
        return said
    tail = re.sub(r"^\s*(https?://)?(\$\{[^{}]*\}|[^/${}])+", "", said)
    return NOWHERE + tail


def at_rest(ask: Ask) -> dict[str, Any]:
    """The settings of an API that nobody is asked for: without secrets, for none is needed."""
    kept = {n: v for n, v in ask.place.settings.items() if n in {"cassettes", "auth", "parameter"} or n.startswith("query:")}
    return {**kept, "location": location_at_rest(ask)}
