"""The process in which one function runs: `python -m xde.connectors.python.child FOLDER`. What it has to say is in `report.json`.

It ends with its parent, whatever the function is busy with, and takes all of its process group along.
"""

from __future__ import annotations

import faulthandler
import importlib.util
import json
import os
import sys
import traceback
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xde.ground.frames import place_of
from xde.ground.lifeline import end_with

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT, REPORT, FAULTS, OUTPUT = "project", "report.json", "faults.txt", "out"


def schema_file(folder: Path, parameter: str | None) -> Path:
    """Where the schema of an input lies, or with None that of what is to be given back."""
    return folder / ("output.schema" if parameter is None else f"input {parameter}.schema")


def main(folder: Path) -> None:
    """Do the job that lies in a folder."""
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    end_with(job["parent"])
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(folder / PROJECT))
    with (folder / FAULTS).open("w", encoding="utf-8") as faults:
        faulthandler.enable(file=faults)
        report = _done(job, folder)
        (folder / REPORT).write_text(json.dumps(report), encoding="utf-8")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # threads of the user's do not keep us


def _done(job: Mapping[str, Any], folder: Path) -> dict[str, object]:
    from xde.connectors.python.giving import RefusedError

    try:
        return {"kind": "done", "paths": _called(job, folder)}
    except RefusedError as error:
        return error.report
    except BaseException as error:  # noqa: BLE001 - whatever a user's code raises is told, `SystemExit` too
        return _raised(error, folder / PROJECT)


def _called(job: Mapping[str, Any], folder: Path) -> list[str]:
    from pyarrow import ipc

    from xde.connectors.python.giving import write
    from xde.connectors.python.taking import Inputs
    from xde.kernel.project.python_code import Form

    inputs = Inputs(job)
    path = folder / PROJECT / job["path"]
    spec = importlib.util.spec_from_file_location("xde_model", path)
    if spec is None or spec.loader is None:
        raise ImportError(job["path"])
    module = importlib.util.module_from_spec(spec)
    sys.modules["xde_model"] = module
    spec.loader.exec_module(module)
    if job["hard_limit"]:
        _limit(job["memory"])
    schemas = {n: ipc.read_schema(_buffer(schema_file(folder, n))) for n in (*job["given"], None)}
    given = {n: inputs.take(Form(g["form"]), schemas[n], g["paths"]) for n, g in job["given"].items()}
    values = {n: _value(v) for n, v in job["values"].items()}
    value = getattr(module, job["function"])(**given, **values)
    aside = folder / OUTPUT
    aside.mkdir()
    return write(value, Form(job["gives"]), schemas[None], aside)


def _value(told: Mapping[str, Any]) -> object:
    """A parameter in the type that its annotation wants."""
    kind, value, wanted = told["type"], told["value"], told["wanted"]
    if kind == "datetime":
        moment = datetime.fromisoformat(value)
        return moment.date() if wanted == "datetime.date" else moment
    if kind == "date":
        day = date.fromisoformat(value)
        return datetime(day.year, day.month, day.day) if wanted == "datetime.datetime" else day  # noqa: DTZ001 - of a column without zone
    return float(value) if wanted == "float" and isinstance(value, int) else value


def _raised(error: BaseException, project: Path) -> dict[str, object]:
    own = str(project) + os.sep
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(own)]
    place: tuple[str, int, int, int] = ("", 1, 1, 0)
    if isinstance(error, SyntaxError) and error.filename and error.filename.startswith(own):
        place = (error.filename, error.lineno or 1, error.offset or 1, 0)
    elif frames:
        place = place_of(frames[-1])
    path, line, column, end = place
    memory = isinstance(error, MemoryError) or type(error).__name__ in {"OutOfMemoryException", "ArrowMemoryError"}
    return {
        "kind": "memory" if memory else "exit" if isinstance(error, SystemExit) else "raised",
        "error": type(error).__name__,
        "message": str(error)[:4000],
        "path": path.removeprefix(own).replace(os.sep, "/"),
        "line": line,
        "column": column,
        "end": end,
        "module": error.name if isinstance(error, ImportError) else None,
    }


def _limit(memory: int) -> None:
    """From here on no more than this beside what the libraries have taken already; the parent watches what is really used."""
    import resource

    with Path("/proc/self/status").open(encoding="ascii") as status:
        data = next((int(line.split()[1]) * 1024 for line in status if line.startswith("VmData")), 0)
    with suppress(ValueError, OSError):  # a lower limit of the surroundings holds already
        resource.setrlimit(resource.RLIMIT_DATA, (data + memory, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def _buffer(path: Path) -> Any:  # noqa: ANN401 - a buffer of a library without types
    import pyarrow as pa

    return pa.py_buffer(path.read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
