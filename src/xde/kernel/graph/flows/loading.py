"""The project's own flows: each file of `flows/` is run once, and every function in it that is decorated is a flow."""

from __future__ import annotations

import ast
import sys
import traceback
from types import ModuleType
from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.ground.findings import Finding, Severity
from xde.ground.spans import Span
from xde.kernel.graph.flows.signature import SignatureError, flow_of, is_flow

if TYPE_CHECKING:
    from pathlib import Path

    from xde.kernel.graph.flows.signature import Flow
    from xde.kernel.project.declarations import FlowFile


def load_flows(file: FlowFile, root: Path) -> tuple[list[Flow], list[Finding]]:
    """The flows of one file, and what is wrong with it. Nothing that the file does raises."""
    module = ModuleType(f"xde_flows_{digest(str(root), file.path, file.text)}")
    place = str(root / file.path)
    module.__file__ = place
    try:
        code = compile(file.text, place, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        return [], [_no_python(file, error)]
    sys.modules[module.__name__] = module  # where dataclasses and the like look for the names of a module
    try:
        exec(code, module.__dict__)  # noqa: S102 - the project's own code is what this is about
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises is told with its line
        return [], [_failed(file, place, error)]
    found: list[Flow] = []
    findings: list[Finding] = []
    for function in [v for v in vars(module).values() if is_flow(v) and v.__module__ == module.__name__]:
        try:
            found.append(flow_of(function, file.path, "the project"))
        except SignatureError as error:
            span = _place(file, error.function, error.argument)
            findings.append(Finding("XDE0249", error.message, span, "", error.why, error.hint))
    if not found and not findings:
        hint = "put `@flow` above the function, or move the file out of `flows/`"
        why = "`flows/` holds flow functions only"
        findings.append(Finding("XDE0251", f"`{file.path}` has no flow in it", Span(file.path), "", why, hint, Severity.WARNING))
    return found, findings


def _place(file: FlowFile, function: str, argument: str) -> Span:
    """Where a function, or an argument of it, stands in a file."""
    for node in ast.walk(ast.parse(file.text)):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            given = node.args
            every = [*given.posonlyargs, *given.args, *given.kwonlyargs, *([given.vararg] if given.vararg else [])]
            every += [given.kwarg] if given.kwarg else []
            found = next((a for a in every if a.arg == argument), None)
            if found is not None:
                return Span(file.path, found.lineno, found.col_offset + 1, found.lineno, found.col_offset + 1 + len(found.arg))
            column = node.col_offset + 1 + len("def ")
            return Span(file.path, node.lineno, column, node.lineno, column + len(function))
    return Span(file.path)


def _no_python(file: FlowFile, error: SyntaxError | ValueError) -> Finding:
    line = (error.lineno or 1) if isinstance(error, SyntaxError) else 1
    column = (error.offset or 1) if isinstance(error, SyntaxError) else 1
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    span = Span(file.path, line, max(1, column))
    return Finding("XDE0248", f"`{file.path}` is no Python that can be read", span, "here", said, "mend the line, or take the file away")


def _failed(file: FlowFile, place: str, error: BaseException) -> Finding:
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == place and f.lineno]
    why = f"{type(error).__name__}: {error}"
    hint = "install what it imports, or import it inside the function" if isinstance(error, ImportError) else "mend the line"
    return Finding("XDE0248", f"`{file.path}` cannot be run", Span(file.path, lines[-1] if lines else 1), "fails here", why, hint)
