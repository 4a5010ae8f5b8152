"""Files to begin with: a model, its contract and a failing case, or a case of what is there; put in place together, over nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, is_identifier
from xde.undercurrents.engineering.drafts.case import EXPECT_OF_SOURCE, case_lines, free_name, sample_row
from xde.undercurrents.engineering.drafts.contract import contract_text
from xde.undercurrents.engineering.drafts.model import Source, model_text
from xde.undercurrents.engineering.testing.case_writer import appended

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from xde.app.understanding import Understanding
    from xde.kernel.project.contract import Property


def new_model(known: Understanding, name: str, inputs: Sequence[str]) -> tuple[str, ...]:
    """Write `models/SCHEMA/NAME.sql`, its contract beside it, and `tests/SCHEMA_NAME.yaml`; gives their paths. Raises `UserError`."""
    schema, _, table = name.partition(".")
    _named(known, name)
    unknown = [_no_input(known, i) for i in inputs if i not in known.project.datasets]
    if unknown:
        raise UserError(*unknown)
    sources = [_source(known, i) for i in dict.fromkeys(inputs)]
    given = {s.name: [sample_row(s.types, s.types, {**s.meanings, **s.promises})] for s in sources}
    files = {
        f"models/{schema}/{table}.sql": model_text(sources),
        f"models/{schema}/{table}.yaml": contract_text(name, sources),
        _case_path(name): appended(None, name, "model", case_lines((), given, timed=False)),
    }
    _place(known.project.root, files)
    return tuple(files)


def new_case(known: Understanding, name: str) -> tuple[str, str]:
    """Add a failing case of a model or source to `tests/SCHEMA_NAME.yaml`; gives its path and its name. Raises `UserError`."""
    if name not in known.project.datasets:
        schema, _, table = name.partition(".")
        near = did_you_mean(name, known.project.datasets)
        raise UserError(
            Finding("XDE0912", f"there is no dataset `{name}`", hint=near or f"begin with it: `xde new model {schema}.{table}`")
        )
    path = known.project.root / _case_path(name)
    before = path.read_text(encoding="utf-8") if path.exists() else None
    taken = _names(before, _case_path(name), known.project.root)
    if name in known.project.models:
        timed = bool({"today", "start", "end"} & set(known.analyses[name].parameters))
        word, lines = "model", case_lines(taken, _given(known, name), timed=timed)
    else:
        word, lines = "source", _delivery_lines(known, name, taken)
    _place(known.project.root, {_case_path(name): appended(before, name, word, lines)}, over=before is not None)
    return _case_path(name), free_name(taken)


def _given(known: Understanding, name: str) -> dict[str, list[dict[str, object]]]:
    """A row of each input, in the columns that the model reads; of one of which it only counts the rows, in its key."""
    analysis = known.analyses[name]
    read = {(r.dataset, r.column) for r in (*analysis.row_reads, *(r for c in analysis.columns for r in c.reads))}
    found = {}
    for dataset in known.upstream[name]:
        source = _source(known, dataset)
        columns = [c for c in source.types if (dataset, c) in read] or list(source.key) or list(source.types)[:1]
        found[dataset] = [sample_row(source.types, columns, {**source.meanings, **source.promises})]
    return found


def _delivery_lines(known: Understanding, name: str, taken: Sequence[str]) -> list[str]:
    from xde.app.draft_delivery import draft_delivery

    promised = known.project.datasets[name].object
    if promised is None:
        raise TypeError(name)  # a source is a table of a contract
    text = draft_delivery(known.readings[name], promised)
    return [
        f"- name: {free_name(taken)}",
        "  raw: |",
        *(f"    {line}".rstrip() for line in text.splitlines()),
        f"  expect: {EXPECT_OF_SOURCE}",
    ]


def _source(known: Understanding, name: str) -> Source:
    types = {c.name: c.type for c in known.schemas[name]}
    promised = known.project.datasets[name].object
    promises = {p.name: p for p in promised.properties} if promised else {}
    meanings = {c: found for c in types if c not in promises and (found := _meaning(known, name, c)) is not None}
    return Source(name, types, promised.key if promised else (), promises, meanings)


def _meaning(known: Understanding, name: str, column: str) -> Property | None:
    """What a contract says of the column that one is a copy of, however far away."""
    promised = known.project.datasets[name].object
    own = next((p for p in promised.properties if p.name == column), None) if promised else None
    if own is not None or name not in known.analyses:
        return own
    origin = next((c.identity for c in known.analyses[name].columns if c.name == column), None)
    return _meaning(known, origin.dataset, origin.column) if origin is not None else None


def _case_path(name: str) -> str:
    return f"tests/{name.replace('.', '_')}.yaml"


def _names(text: str | None, path: str, root: Path) -> tuple[str, ...]:
    """The names of the cases in a file. Raises `UserError` when it cannot be read: nothing is added to what is broken."""
    if text is None:
        return ()
    from xde.undercurrents.engineering.testing.case_reader import read_cases

    def fixture(name: str) -> bytes | None:
        return (root / name).read_bytes() if (root / name).is_file() else None

    cases, findings = read_cases(text.encode(), path, fixture)
    if findings:
        raise UserError(*findings)
    return tuple(c.name for c in cases)


def _named(known: Understanding, name: str) -> None:
    parts = name.split(".")
    if len(parts) != 2 or not all(is_identifier(p) for p in parts):
        why = "a dataset is named by its schema and its own name, in letters, digits and `_`"
        raise UserError(Finding("XDE0954", f"`{name}` is no name of a dataset", why=why, hint="write it like `marts.daily_sales`"))
    there = next((d for d in known.project.datasets if d.casefold() == name.casefold()), None)
    if there is not None:
        what = "model" if there in known.project.models else "source"
        raise UserError(Finding("XDE0955", f"the {what} `{there}` is there already", hint=f"begin a case of it: `xde new case {there}`"))


def _no_input(known: Understanding, name: str) -> Finding:
    near = did_you_mean(name, known.project.datasets)
    return Finding("XDE0956", f"there is no dataset `{name}` to read from", hint=near or "`xde list` shows the datasets of the project")


def _place(root: Path, files: Mapping[str, str], *, over: bool = False) -> None:
    """Write all aside, then put each in place: every state between is a project that loads. What fails takes back what was put."""
    there = [] if over else [p for p in files if (root / p).exists()]
    if there:
        raise UserError(*(Finding("XDE0957", f"`{p}` is there already", hint="move it away, or choose another name") for p in there))
    asides = {p: root / f"{p}.{os.getpid()}.part" for p in files}
    placed: list[Path] = []
    try:
        for path, text in files.items():
            asides[path].parent.mkdir(parents=True, exist_ok=True)
            asides[path].write_text(text, encoding="utf-8")
        for path, aside in asides.items():
            if over:
                aside.replace(root / path)
            else:
                os.link(aside, root / path)  # unlike a rename, it never takes the place of anything
                placed.append(root / path)
    except OSError as error:
        for done in placed:
            done.unlink(missing_ok=True)
        message = f"the files cannot be written: {(error.strerror or str(error)).lower()}"
        raise UserError(Finding("XDE0959", message, hint="choose a project that you may write to")) from error
    finally:
        for aside in asides.values():
            aside.unlink(missing_ok=True)
