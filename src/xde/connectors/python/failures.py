"""What a call of a function came to when it came to nothing, told with the place in the user's file."""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING, Any

from xde.connectors.python import child
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, listed
from xde.ground.records import dataclass
from xde.ground.secrets import redact
from xde.ground.spans import Span

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xde.ground.processes import Ended, Limits
    from xde.kernel.project.python_code import PythonCode
    from xde.lifecycle.transformation.port import Call

SHOWN = 8  # lines of what it wrote
_NO_MEMORY = re.compile(r"bad_alloc|memory allocation of \d+ bytes failed|out of memory|cannot allocate memory", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that failed, with all that is known of it."""

    call: Call
    code: PythonCode
    ended: Ended
    limits: Limits
    folder: Path

    @property
    def name(self) -> str:
        """The model."""
        return self.call.model.name

    def told(self, report: Mapping[str, Any]) -> UserError:
        """The error to raise."""
        match self.ended.why or report.get("kind"):
            case "memory":
                return UserError(self._memory(report))
            case "time":
                hint = "give it more, `timeout` in `@model` or `time_limit` under `python:` in `xde.yaml`, or let it do less"
                return self._error("XDE0272", f"`{self.name}` took longer than {_seconds(self.limits.seconds)}", "it was ended", hint)
            case "output":
                why = "so much is written only by mistake, and it was ended"
                return self._error("XDE0277", f"`{self.name}` wrote more than 64 MB to its output", why, "print less")
            case "raised" | "exit" as kind:
                return UserError(self._raised(report, exits=kind == "exit"))
            case "form" | "columns" | "type" as kind:
                return UserError(*self._refused(kind, report))
            case _:
                return UserError(self._died())

    def _error(self, code: str, message: str, why: str, hint: str) -> UserError:
        return UserError(Finding(code, message, self._place(), "", self._why(why), hint))

    def _place(self) -> Span | None:
        return self.call.model.span

    def _why(self, why: str) -> str:
        """With the last lines of what the function wrote, if anything."""
        said = [line.rstrip() for line in redact(self.ended.said).splitlines() if line.strip()][-SHOWN:]
        return "\n".join(filter(None, [why, "it wrote:" if said else "", *(f"  {line[:200]}" for line in said)]))

    def _memory(self, report: Mapping[str, Any]) -> Finding:
        path = report.get("path")
        span = self._raised_at(report)
        why = "the process was ended; nothing was published, and other steps go on"
        hint = "take batches (`Iterator[pyarrow.RecordBatch]`) or a lazy frame; or raise `memory` in `@model`"
        message = f"`{self.name}` needs more memory than the {_bytes(self.limits.memory)} that it may use"
        return Finding("XDE0271", message, span, "here" if path else "", self._why(why), hint)

    def _raised(self, report: Mapping[str, Any], *, exits: bool) -> Finding:
        span = self._raised_at(report)
        said = redact(str(report["message"])).strip()
        what = f"{report['error']}: {said}" if said else str(report["error"])
        if exits:
            hint = "let the function return its rows, or raise an exception that says what is wrong"
            return Finding("XDE0273", f"`{self.name}` ended its process by `sys.exit`", span, "ends here", self._why(what), hint)
        module = report.get("module")
        hint = f"mend the line, and keep such rows in a case: `xde new case {self.name}`"
        if module:
            hint = f"install what has `{module}` where xde runs, and name it in `requires` of `@model`"
            hint = f"put it into `lib/{str(module).split('.')[-1]}.py`" if str(module).split(".")[0] in {"lib", "models"} else hint
        return Finding(
            "XDE0270", f"`{self.name}` failed with {what.splitlines()[0][:300]}", span, "raised here", self._why(_rest(what)), hint
        )

    def _raised_at(self, report: Mapping[str, Any]) -> Span | None:
        if not report.get("path"):
            return self._place()
        path, line, column, end = (report[w] for w in ("path", "line", "column", "end"))
        return Span(path, line, column, line, end) if end else Span(path, line, column)

    def _refused(self, kind: str, report: Mapping[str, Any]) -> list[Finding]:
        if kind == "form":
            wanted, given = report["wanted"], report["given"]
            hint = "return the rows" if given == "None" else f"convert it, or annotate the function `-> {given}`"
            why = "its annotation says what it gives"
            return [Finding("XDE0274", f"`{self.name}` gave back `{given}` and not `{wanted}`", self._place(), "", self._why(why), hint)]
        if kind == "columns":
            return self._columns(report)
        declared = next((c.type for c in self.call.types if c.name == report["column"]), "")
        hint = f"cast `{report['column']}` in the function, or promise another type"
        message = f"`{report['column']}` of `{self.name}` is `{report['given']}`, and cannot be made `{declared}` exactly"
        return [Finding("XDE0276", message, self._place(), "", self._why(report["why"]), hint)]

    def _columns(self, report: Mapping[str, Any]) -> list[Finding]:
        missing, extra, doubled = report["missing"], report["extra"], report["doubled"]
        found = []
        if missing:
            hint = did_you_mean(missing[0], extra) or "give it back, or take it out of the contract"
            names = listed([f"`{n}`" for n in missing])
            found.append(Finding("XDE0275", f"`{self.name}` did not give {names}", self._place(), "", self._why("it is promised"), hint))
        if extra:
            names = listed([f"`{n}`" for n in extra])
            hint = "leave it out of what is given back, or add it to the contract"
            why = self._why("no contract promises it")
            found.append(Finding("XDE0275", f"`{self.name}` gave {names}, which nobody expects", self._place(), "", why, hint))
        if doubled:
            why = self._why("a column is known by its name")
            found.append(Finding("XDE0275", f"`{self.name}` gave `{doubled}` twice", self._place(), "", why, "rename one of the two"))
        return found

    def _died(self) -> Finding:
        """The process went without a word of its own."""
        code = self.ended.code
        if code < 0:
            if code == -signal.SIGABRT and _NO_MEMORY.search(self.ended.said):
                return self._memory({})
            name = signal.Signals(-code).name if -code in {s.value for s in signal.Signals} else f"signal {-code}"
            why = {
                "SIGKILL": "somebody killed it; the system does when the machine runs out of memory",
                "SIGSEGV": "compiled code that it calls touched memory that is not its own",
                "SIGABRT": "compiled code that it calls gave up",
            }.get(name, "")
            message = f"the process of `{self.name}` was ended by {name}"
        else:
            message, why = f"the process of `{self.name}` ended with {code} before it was done", ""
        span = self._faulted() or self._place()
        hint = "look at the packages that it calls at this line, and at their versions"
        return Finding("XDE0273", message, span, "ended here" if span != self._place() else "", self._why(why), hint)

    def _faulted(self) -> Span | None:
        """The innermost line of the project that was running when the process crashed."""
        own = str(self.folder / child.PROJECT)
        try:
            faults = (self.folder / child.FAULTS).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        found = re.search(rf'File "{re.escape(own)}/(.+?)", line (\d+)', faults)
        return Span(found[1], int(found[2])) if found is not None else None


def _rest(text: str) -> str:
    return "\n".join(text.splitlines()[1:12])


def _bytes(amount: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if amount >= size:
            return f"{amount / size:.3g} {unit}"
    return f"{amount:,} bytes"


def _seconds(seconds: float | None) -> str:
    return f"{seconds or 0:g} s"
