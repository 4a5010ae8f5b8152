"""Whether what the Python models of a project need is installed where they are to run; asked before anything is run."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.kernel.project.python_code import Form
from xde.kernel.project.requirements import requirement_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from xde.app.understanding import Understanding
    from xde.app.wiring import House
    from xde.ground.spans import Span
    from xde.kernel.project.declarations import ModelDataset
    from xde.kernel.project.python_code import PythonCode

OURS = frozenset({"pyarrow", "duckdb"})  # they come with xde


def must_be_met(house: House, known: Understanding, selection: Collection[str] | None) -> None:
    """Raise `UserError` with every need of the Python models that are selected (all for None) which is not met here."""
    found = unmet(house, known, selection)
    if found:
        raise UserError(*found)


def unmet(house: House, known: Understanding, selection: Collection[str] | None) -> list[Finding]:
    """A finding for each package that is missing or of another version, and for each function that needs another engine."""
    models = [m for n, m in known.project.models.items() if m.python is not None and (selection is None or n in selection)]
    return [f for m in models for f in _of_model(house, m, m.python)] if models else []


def _of_model(house: House, model: ModelDataset, code: PythonCode | None) -> Iterator[Finding]:
    if code is None:
        return
    forms = {code.gives, *(g.form for g in code.given)}
    if Form.SPARK in forms and house.engine_settings.name != "spark":
        why = f"the engine of `{house.environment}` is `{house.engine_settings.name}`"
        hint = "annotate it with another type, which is read on every engine, or write `engine: spark` in `xde.yaml`"
        yield Finding("XDE0267", f"`{model.name}` takes or gives data frames of Spark", model.span, "", why, hint)
    named = {r.name for text, _ in code.requires if (r := requirement_of(text)) is not None}
    for form in sorted(forms):
        package = form.value.partition(".")[0]
        if package not in OURS | named and form is not Form.SPARK:
            yield from _looked_up(model, package, model.span)
    for text, span in code.requires:
        yield from _looked_up(model, text, span)


def _looked_up(model: ModelDataset, text: str, span: Span | None) -> Iterator[Finding]:
    wanted = requirement_of(text)
    if wanted is None:
        return
    hint = f"install it where xde runs: `{sys.executable} -m pip install '{text}'`"
    try:
        there = version(wanted.name)
    except PackageNotFoundError:
        yield Finding("XDE0266", f"`{model.name}` needs `{text}`, which is not installed", span, "missing", "it is no part of xde", hint)
        return
    if not wanted.met_by(there):
        yield Finding("XDE0266", f"`{model.name}` needs `{text}`, and {there} is installed", span, "another version", "", hint)


def installed(code: PythonCode) -> dict[str, str]:
    """The versions of what a function is computed with, as they are told of in its commits."""
    packages = {f.value.partition(".")[0] for f in (code.gives, *(g.form for g in code.given))}
    packages |= {r.name for text, _ in code.requires if (r := requirement_of(text)) is not None}
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    for package in sorted(packages):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
