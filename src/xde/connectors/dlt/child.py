"""The process in which one source of dlt runs: `python -m xde.connectors.dlt.child`. Its job comes by standard input, its report is a file.

It ends with its parent, whatever the source is busy with, and takes all of its process group along.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tomllib
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xde.connectors.dlt.job import LARGEST, LOOKED_PAGES, MOST_TIES, NO_ROOM, Job
from xde.ground.errors import DISK_FULL
from xde.ground.frames import place_of
from xde.ground.lifeline import end_with, listening
from xde.ground.secrets import hide, redact, sounds_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSING = {"ConnectionError", "ConnectTimeout", "ReadTimeout", "Timeout", "ChunkedEncodingError", "ConnectionResetError", "TimeoutError"}
PASSING_STATUS = {408, 425, 429, 500, 502, 503, 504}


def main() -> None:
    """Do the jobs that are told, one a line; after one that lies on no disk there is none."""
    lines = listening()
    sys.dont_write_bytecode = True
    while True:
        job = Job.heard(lines.get())
        end_with(job.parent, listens=False)
        for value in (*job.hidden, *_secrets(Path(job.root))):
            hide(value)
        report = _done(job)
        if report["kind"] != "done":
            report = {**report, "why": redact(report["why"])}
        sys.stdout.flush()
        sys.stderr.flush()
        if report["kind"] == "disk":
            _make_room(job)
        try:
            _put(Path(job.report), json.dumps(report), whole=not job.private)
        except OSError:
            os._exit(NO_ROOM)
        if job.private:
            os._exit(0)


def _make_room(job: Job) -> None:
    """Take away what was written: it counts for nothing."""
    with suppress(OSError):
        Path(job.records).write_bytes(b"")
        shutil.rmtree(job.tables, ignore_errors=True)


def _put(path: Path, text: str, *, whole: bool) -> None:
    """Write the report, which is there when all of it is."""
    aside = path.with_suffix(".part") if whole else path
    aside.write_text(text, encoding="utf-8")
    if whole:
        aside.replace(path)


def _secrets(root: Path) -> Iterator[str]:
    """What dlt itself may look up for a source: it could stand in the words of an error."""
    yield from (v for n, v in os.environ.items() if sounds_secret(n.lower()) or "SECRETS__" in n)
    for path in (root / ".dlt/secrets.toml", Path.home() / ".dlt/secrets.toml"):
        try:
            yield from _texts(tomllib.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            continue


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def _done(job: Job) -> dict[str, Any]:
    from xde.connectors.dlt.extracting import MISSING, NoSourceError

    if sys.path[0] != job.root:
        sys.path.insert(0, job.root)
    try:
        return {"kind": "done", **_WORK[job.what](job)}
    except NoSourceError as error:
        return {"kind": error.word, "why": error.why, "there": list(error.there)}
    except MISSING as error:
        return {"kind": "configuration", "why": "" if job.private else str(error)[:2000]}
    except BaseException as error:  # noqa: BLE001 - whatever a source raises is told, `SystemExit` too
        return _raised(error, job)


def _read(job: Job) -> dict[str, Any]:
    """Write down all that the resource gives after a state."""
    from xde.connectors.dlt import extracting
    from xde.connectors.dlt.writing import Written

    source = _with_resource(job)
    state = extracting.read_back(job.state)
    with Path(job.records).open("w", encoding="utf-8", errors="surrogatepass", newline="\n") as out:
        written = Written(job, out)
        for item in extracting.pages(source, job.resource, state, by_key=job.mode != "merge"):
            written.take(item)
        written.finish()
    unsure = _unsure(job, source, state, any_=bool(written.tally.tally.count)) if job.mode == "append" else ""
    extracting.without_ties(state)
    kept = extracting.plain(state) if job.mode != "replace" else None
    if len(json.dumps(kept)) > LARGEST:
        return {"kind": "large", "why": f"{len(json.dumps(kept)):,} bytes"}
    return {
        "kind": "unsure" if unsure else "done",
        "why": unsure,
        "state": kept,
        "edge": str(written.tally),
        "rows": written.rows,
        "parts": written.parts,
        "tables": written.tables,
        "new": list(written.new),
        "cost": written.cost(),
    }


def _unsure(job: Job, source: Any, state: dict[str, Any], *, any_: bool) -> str:  # noqa: ANN401 - a source of dlt
    """Why a later load could not tell what of this one it has, where rows are appended; empty where it can."""
    from xde.connectors.dlt import extracting

    if any_ and not any(r for s in state.get("sources", {}).values() for r in s.get("resources", {}).values()):
        return "the resource keeps no state, and each load would append all of its records once more"
    if extracting.tied(state) > MOST_TIES:
        return f"{extracting.tied(state):,} records share the last value of its cursor: they would be kept apart by a list of all of them"
    for cursor in extracting.incrementals(source, job.resource):
        if cursor.lag:
            return "its cursor has a lag, and what is read again would be there twice"
        if cursor.range_start == "closed" and cursor.primary_key in ((), []):
            return "its cursor is told not to tell records with the last value apart, and they would be there twice"
    return ""


def _peek(job: Job) -> dict[str, Any]:
    """Whether there is something that was not read up to a state."""
    from xde.connectors.dlt import extracting
    from xde.connectors.dlt.writing import Given

    given, pages = Given(), 0
    for item in extracting.pages(_with_resource(job), job.resource, extracting.read_back(job.state), by_key=job.mode != "merge"):
        given.take(item)
        pages += isinstance(item, list) or hasattr(item, "schema")
        if pages >= LOOKED_PAGES or not given.known:
            return {"news": "more"}
    nothing = not given.tally.count and bool(job.state)
    return {"news": "" if nothing or str(given) == job.edge else str(given)}


def _look(job: Job) -> dict[str, Any]:
    """What there is: the resources, and the first that the one that is meant gives."""
    from xde.connectors.dlt import extracting
    from xde.connectors.dlt.writing import Given

    source, given = _with_resource(job), Given()
    for item in extracting.pages(source, job.resource, {}):
        given.take(item)
        break
    return {"version": extracting.VERSION, "resources": list(source.resources), "records": given.tally.count}


def _with_resource(job: Job) -> Any:  # noqa: ANN401 - a source of dlt
    from xde.connectors.dlt.extracting import NoSourceError, opened

    source = opened(job)
    if job.resource not in source.resources:
        raise NoSourceError("resource", job.resource, tuple(source.resources))
    return source


_WORK = {"read": _read, "peek": _peek, "look": _look}


def _raised(error: BaseException, job: Job) -> dict[str, Any]:
    """What was raised, as the code of the source raised it, with its own line where it has one."""
    led = list(_led(error))
    first = led[-1]
    if isinstance(first, OSError) and first.errno in DISK_FULL:
        return {"kind": "disk", "why": str(first)}
    own = job.root.rstrip(os.sep) + os.sep
    frames = [f for e in led for f in traceback.extract_tb(e.__traceback__)]
    theirs = [f for f in frames if f.filename.startswith(own)]
    line = next(iter(theirs[-1:]), None)
    if isinstance(first, SyntaxError) and first.filename and first.filename.startswith(own):
        path, number, column, end = first.filename, first.lineno or 1, first.offset or 1, 0
    else:
        path, number, column, end = place_of(line) if line is not None else ("", 1, 1, 0)
    last = frames[-1] if frames else None
    status = getattr(getattr(first, "response", None), "status_code", None)
    passing = status in PASSING_STATUS if status is not None else any(k.__name__ in PASSING for k in type(first).__mro__)
    return {
        "kind": "raised",
        "error": type(first).__name__,
        "why": "" if job.private else " ".join(str(first).split())[:2000],
        "path": path.removeprefix(own).replace(os.sep, "/"),
        "line": number,
        "column": column,
        "end": end,
        "at": f"{Path(last.filename).name}:{last.lineno}" if last is not None else "",
        "passing": passing,
        "module": first.name if isinstance(first, ModuleNotFoundError) else None,
    }


def _led(error: BaseException) -> Iterator[BaseException]:
    """An error and those that led to it, of which dlt's own are made."""
    from xde.connectors.dlt.extracting import WRAPPED

    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__ if isinstance(one, WRAPPED) else None


if __name__ == "__main__":
    main()
