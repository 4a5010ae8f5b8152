"""Files that somebody names, with no contract yet: which they are, of which tables, and in what dialect they seem to be."""

from __future__ import annotations

import glob
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xde.connectors.files.heads import head_of
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.ground.names import did_you_mean
from xde.lifecycle.ingestion.port import Dialect
from xde.lifecycle.sources.port import FoundFile
from xde.undercurrents.management.profiling.naming import FORMATS, format_of, grouped
from xde.undercurrents.management.profiling.sniffing import guess

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.connectors.files.heads import Head
    from xde.undercurrents.management.profiling.naming import Group
    from xde.undercurrents.management.profiling.sniffing import Guess

LONGEST = 16_000_000
_MAGIC = "*?["


@dataclass(frozen=True, slots=True)
class Source:
    """What somebody wrote: a path, or a pattern."""

    said: str


def chosen_files(sources: Sequence[Source], known: Sequence[str]) -> tuple[Group, ...]:
    """The files that are meant, by table. Raises `UserError` with everything that is wrong."""
    findings: list[Finding] = []
    paths: dict[Path, None] = {}
    for source in sources:
        found, wrong = _files(source.said, known)
        paths.update(dict.fromkeys(found))
        findings += wrong
    if findings:
        raise UserError(*findings)
    return grouped(paths, [p for folder in {p.parent for p in paths} for p in folder.iterdir() if p.is_file()])


def _files(said: str, known: Sequence[str]) -> tuple[list[Path], list[Finding]]:
    path = Path(said)
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir() if p.is_file() and format_of(p))
        why = "it holds " + ", ".join(f"`{n}`" for n in inside[:5]) if inside else "and no file in it is of a kind that is read here"
        hint = f"name its files: `'{path.as_posix().rstrip('/')}/*'`"
        return [], [Finding("XDE0371", f"`{said}` is a folder", why=why, hint=hint)]
    if path.is_file():
        if format_of(path) is None:
            return [], [_no_format(said)]
        return [path], []
    if any(c in said for c in _MAGIC):
        found = [Path(p) for p in glob.glob(said, recursive=True) if Path(p).is_file()]  # noqa: PTH207 - a pattern may be absolute
        fitting = [p for p in found if format_of(p) and not p.name.startswith(".")]
        if fitting:
            return fitting, []
        if found:
            return [], [_no_format(str(found[0]))]
    return [], [_nothing(said, path, known)]


def _no_format(said: str) -> Finding:
    endings = ", ".join(f"`{e}`" for e in FORMATS)
    return Finding(
        "XDE0375", f"the ending of `{said}` does not say what it is", why=f"known endings: {endings}", hint="rename a copy of it"
    )


def _nothing(said: str, path: Path, known: Sequence[str]) -> Finding:
    here = path.parent if path.parent.is_dir() else Path()
    beside = {p.name: (p.as_posix() if str(path.parent) != "." else p.name) for p in here.iterdir() if p.is_file()}
    near = did_you_mean(said, known) or did_you_mean(path.name, beside)
    hint = near or "name a dataset of `xde list`, or files: a path, or a pattern in quotes such as 'data/*.csv'"
    return Finding("XDE0370", f"there is neither a dataset nor a file `{said}`", hint=hint)


def found_files(group: Group) -> tuple[FoundFile, ...]:
    """The files of a group as a loader takes them."""
    told = [(p, p.stat()) for p in group.files]
    return tuple(FoundFile(p.name, str(p), s.st_size, s.st_mtime_ns) for p, s in told)


def dialect_of(group: Group) -> tuple[Dialect, tuple[str, ...], list[Finding]]:
    """The dialect that the files seem to be in, their columns where no header names them, and what is odd. Raises `UserError`."""
    if group.format == "excel":
        return Dialect("excel"), (), []
    heads = [head_of(p) for p in group.files]
    findings = [f for p, h in zip(group.files, heads, strict=True) for f in _odd(p, h)]
    encoding = next((h.encoding for h in heads if h.encoding != "utf-8"), "utf-8")
    if group.format in {"json", "ndjson"}:
        form, at = _json_form(group, heads[0])
        return Dialect(form, encoding=encoding, records_at=at), (), findings
    found = guess(heads[0].text)
    findings += _shape(group, found)
    dialect = Dialect(
        "csv", found.delimiter, found.quote, found.escape, found.header, found.skip, encoding, comment=found.comment, decimal=found.decimal
    )
    return dialect, () if found.header else found.columns, findings


def _json_form(group: Group, head: Head) -> tuple[str, str | None]:
    """Lines of records, one array, or an array under a member of one object."""
    if head.text.lstrip().startswith("["):
        return "json", None
    lines = head.text.strip().split("\n")
    if group.format == "ndjson" or (len(lines) > 1 and _is_record(lines[0])):
        return "ndjson", None
    lists = _lists(group.files[0])
    if lists:
        return "json", lists[0] if len(lists) == 1 else None
    return ("ndjson" if _is_record(lines[0]) else "json"), None


def _lists(path: Path) -> list[str]:
    """The members of one document that are arrays of records."""
    try:
        whole = json.loads(path.read_bytes()) if path.suffix.lower() == ".json" else None
    except (ValueError, UnicodeDecodeError):
        return []
    found = whole.items() if isinstance(whole, dict) else ()
    return [k for k, v in found if isinstance(v, list) and v and all(isinstance(r, dict) for r in v)]


def _is_record(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _odd(path: Path, head: Head) -> list[Finding]:
    found = []
    if not head.certain:
        why = "its bytes are no UTF-8, and those of one encoding are letters in another too, so nobody can tell from them"
        hint = "ask who delivers it, and say `encoding` in the contract"
        found.append(Finding("XDE0380", f"the encoding of `{path}` is a guess: `{head.encoding}`", None, "", why, hint, Severity.WARNING))
    if head.longest > LONGEST:
        why = f"a record may have {LONGEST:,} bytes unless `maxRecordBytes` says otherwise"
        hint = "look whether a quote was never closed"
        found.append(Finding("XDE0378", f"`{path}` has a line of {head.longest:,} bytes", None, "", why, hint, Severity.WARNING))
    return found


def _shape(group: Group, found: Guess) -> list[Finding]:
    path = group.folder / group.pattern
    if found.whole:
        message = f"every record of `{path}` stands in quotes as a whole, so that it is one column"
        why = "a spreadsheet saves a file so that it took for one of a single column"
        hint = "have it delivered with each field quoted by itself; until then its records are texts"
    elif len(found.columns) == 1:
        message, why = f"`{path}` has one column only", "no delimiter parts its lines into as many fields each"
        hint = "if it has more, say their `delimiter` in the contract"
    else:
        return []
    return [Finding("XDE0376", message, None, "", why, hint, Severity.WARNING)]
