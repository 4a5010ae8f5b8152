"""What a run of a source came to when it came to nothing, told with the place in the user's file."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xde.connectors.dlt.job import NO_ROOM
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.ground.secrets import redact
from xde.ground.spans import Span

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xde.ground.processes import Ended, Limits
    from xde.lifecycle.sources.tables import Ask

SHOWN = 30  # names


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that failed, with all that is known of it."""

    ask: Ask
    what: str
    ended: Ended | None
    limits: Limits
    root: Path

    @property
    def source(self) -> str:
        """The function that gives the source."""
        return self.ask.extracted.source

    @property
    def ended_by(self) -> str:
        """Why we ended it, if we did."""
        return self.ended.why if self.ended is not None else ""

    def passing(self, report: Mapping[str, Any]) -> TemporaryError | None:
        """What may go by itself: a server that is away, or busy."""
        if self.ended_by == "time" and self.what != "read":
            return TemporaryError(f"`{self.source}` gave no answer within {self.limits.seconds:.0f} seconds")
        if self.full(report) and self.what != "read":
            return TemporaryError("the disk is full")
        if not self.ended_by and report.get("passing"):
            return TemporaryError(f"`{self.source}` could not read `{self.ask.relation}`: {_said(report)}", retry_in=2.0)
        return None

    def full(self, report: Mapping[str, Any]) -> bool:
        """Whether there was no room on the disk."""
        return report.get("kind") == "disk" or (self.ended is not None and not self.ended.why and self.ended.code == NO_ROOM)

    def told(self, report: Mapping[str, Any]) -> UserError:
        """The error to raise."""
        at = self.ask.place.span
        match self.ended_by or report.get("kind"):
            case "module" | "function" | "gives" | "arguments" as kind:
                return UserError(self._no_source(kind, report))
            case "resource":
                there = [str(n) for n in report["there"]]
                why = "it has " + (_names(there) or "none")
                hint = did_you_mean(self.ask.relation, there) or "write the name of one as `physicalName`"
                message = f"`{self.source}` has no resource `{self.ask.relation}`"
                return UserError(Finding("XDE0523", message, self.ask.span, "no such resource", why, hint))
            case "configuration":
                hint = "give it as one of `xdeArguments` of the server: a secret as a reference, such as `${env:SHOP_TOKEN}`"
                message = f"`{self.source}` asks for a setting that nobody gives"
                return UserError(Finding("XDE0525", message, at, "its server", _words(str(report["why"])), hint))
            case "raised":
                return UserError(self._raised(report))
            case "unsure":
                hint = "say `merge` as its `xdeWriteMode`, with a primary key"
                message = f"`{self.ask.dataset}` appends, and a later load could not tell what it has"
                return UserError(Finding("XDE0526", message, self.ask.span, "append", str(report["why"]), hint))
            case "large":
                why = f"{report['why']}: it is kept in each commit"
                hint = (
                    "have the source keep less in `dlt.current.resource_state()`: the last value of a cursor, and no list of what was seen"
                )
                message = f"the state of `{self.ask.relation}` is larger than a commit should hold"
                return UserError(Finding("XDE0528", message, self.ask.span, "its state", why, hint))
            case _:
                return UserError(self._ended())

    def _no_source(self, kind: str, report: Mapping[str, Any]) -> Finding:
        module, _, name = self.source.partition(":")
        there, at = [str(n) for n in report["there"]], self.ask.place.span
        match kind:
            case "module":
                files = sorted(p.stem for p in self.root.glob("*.py"))
                hint = did_you_mean(module, files) or f"put it into `{module.replace('.', '/')}.py` of the project, or install what has it"
                return Finding("XDE0522", f"there is no module `{module}`", at, "no such module", "", hint)
            case "function":
                hint = did_you_mean(name, there) or "write the name of the function that gives the source behind the `:`"
                why = f"it has {_names(there)}" if there else ""
                return Finding("XDE0522", f"`{module}` has no `{name}`", at, "no such function", why, hint)
            case "gives":
                hint = "have it be a `@dlt.source`, a `@dlt.resource`, or a function that gives resources"
                return Finding("XDE0522", f"`{self.source}` gives no source but `{report['why']}`", at, "no source", "", hint)
            case _:
                why = f"it takes {_names(there)}" if there else ""
                hint = "mend `xdeArguments` of the server"
                return Finding("XDE0522", f"`{self.source}` cannot be called: {report['why']}", at, "arguments", why, hint)

    def _raised(self, report: Mapping[str, Any]) -> Finding:
        module, path = report.get("module"), str(report["path"])
        span, label = (_span(report), "raised here") if path else (self.ask.place.span, "its server")
        if module:
            hint = f"install what has `{module}` where xde runs"
        elif path:
            hint = "mend the line; nothing was published, and the next load begins where the last one ended"
        else:
            hint = "look at `xdeArguments` of the server; nothing was published, and the next load begins where the last one ended"
        why = f"raised at {report['at']}" if report.get("at") and not path else ""
        return Finding("XDE0524", f"`{self.source}` failed with {_said(report)}", span, label, why, hint)

    def _ended(self) -> Finding:
        at = self.ask.place.span
        match self.ended_by:
            case "memory":
                how = f"it used more than the {self.limits.memory / 1e9:.1f} GB that it may use"
                hint = "have the resource give pages, and not all of its records at once"
            case "time":
                how = f"it took longer than {self.limits.seconds or 0:.0f} seconds"
                hint = "raise `statementTimeout` of its `xdeLimits`, or have it ask for less"
            case "output":
                how, hint = "it wrote more than 64 MB to its output", "print less"
            case _:
                code = self.ended.code if self.ended is not None else 0
                how = f"it was killed by {_signal(-code)}" if code < 0 else f"it ended with {code}"
                hint = "run it by itself: `python -c 'import dlt, ...'`; nothing was published"
        said = [line.rstrip() for line in redact(self.ended.said if self.ended is not None else "").splitlines() if line.strip()][-8:]
        shown = [] if self.ask.private or self.ended_by else ["it wrote:", *(f"  {line[:200]}" for line in said)] if said else []
        why, message = "\n".join([how, *shown]), f"the process of `{self.source}` ended before it was done"
        return Finding("XDE0527", message, at, "its server", why, hint)


def _span(report: Mapping[str, Any]) -> Span:
    path, line, column, end = str(report["path"]), *(int(report[w]) for w in ("line", "column", "end"))
    return Span(path, line, column, line, end) if end else Span(path, line, column)


def _said(report: Mapping[str, Any]) -> str:
    why = str(report.get("why", ""))[:300]
    return f"{report.get('error')}: {why}" if why else str(report.get("error"))


def _names(there: list[str]) -> str:
    return ", ".join(f"`{n}`" for n in there[:SHOWN])


def _words(text: str) -> str:
    return " ".join(text.split())[:400]


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
