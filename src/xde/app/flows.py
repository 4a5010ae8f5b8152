"""The flows that a project may call: ours, those of installed plug-ins, and its own."""

from __future__ import annotations

import sys
from functools import cache, partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from xde.ground.digests import digest_if_there
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.ground.spans import Span
from xde.kernel.graph.flows.book import FlowBook
from xde.kernel.graph.flows.loading import load_flows
from xde.kernel.graph.flows.signature import SignatureError, flow_of, is_flow
from xde.kernel.project.declarations import FlowFile
from xde.kernel.project.files import project_files
from xde.kernel.project.yaml_reader import decoded
from xde.lifecycle.transformation.flows import NAMES, our_flow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.metadata import EntryPoint

    from xde.ground.findings import Findings
    from xde.kernel.graph.flows.signature import Flow
    from xde.kernel.project.declarations import Project

GROUP = "xde.flows"


def book_of(files: Sequence[FlowFile], root: Path, findings: Findings) -> FlowBook:
    """The flows that a project with these files of its own may call; tells of files that hold none and of names that are taken."""
    loaders: dict[str, Callable[[], Flow]] = {n: partial(our_flow, n) for n in NAMES}
    for point in _offered():
        name = point.name.lower()
        if name in loaders:
            findings.add(_taken(name, f"the plug-in `{_package(point)}`", None))
        else:
            loaders[name] = partial(_theirs, point)
    origins: dict[str, str] = {}
    before = len(findings.errors)
    for file in files:
        found, told = load_flows(file, root)
        findings.extend(told)
        for flow in found:
            if flow.name in loaders:
                findings.add(_taken(flow.name, origins.get(flow.name, "xde itself or a plug-in"), Span(flow.path, flow.line)))
                continue
            loaders[flow.name] = partial(_known, flow)
            origins[flow.name] = f"`{flow.path}`"
    return FlowBook(loaders, whole=len(findings.errors) == before)


def flows_at(root: Path | None, findings: Findings) -> tuple[Flow, ...]:
    """Every flow that may be called in a folder: ours first, then by name."""
    files: list[FlowFile] = []
    for file in project_files(root).flows if root is not None else ():
        text, finding = decoded(file.content or b"", file.path)
        findings.extend([finding] if finding is not None else [])
        files += [FlowFile(file.path, text)] if finding is None else []
    book = book_of(files, root or Path(), findings)
    others = sorted(book.names - set(NAMES))
    return tuple(flow for n in (*NAMES, *others) if (flow := book.flow(n)) is not None)


def our_flows() -> tuple[Flow, ...]:
    """Those that come with xde."""
    return tuple(map(our_flow, NAMES))


def files_of(book: FlowBook, names: tuple[str, ...], project: Project) -> tuple[tuple[str, str], ...]:
    """The files, with their digests, of the flows that a project's own digest says nothing of."""
    own = {f.path for f in project.flows}
    paths = {f.path for n in names if (f := book.flow(n)) is not None and f.path not in own}
    return tuple((p, digest_if_there(p)) for p in sorted(paths))


@cache
def _offered() -> tuple[EntryPoint, ...]:
    """What installed packages offer; they do not change while we run."""
    return tuple(entry_points(group=GROUP))


def _known(flow: Flow) -> Flow:
    return flow


def _theirs(point: EntryPoint) -> Flow:
    """A plug-in's flow. Raises `UserError` where the plug-in cannot be used."""
    try:
        function = point.load()
        if not is_flow(function):
            msg = f"`{point.value}` is not decorated with `@flow`"
            raise TypeError(msg)
        made = flow_of(function, str(getattr(sys.modules.get(function.__module__), "__file__", "")), _package(point))
    except (Exception, SignatureError) as error:
        why = f"{type(error).__name__}: {error}"
        hint = f"bring it up to date, or take it away: `pip uninstall {_package(point)}`"
        raise UserError(
            Finding("XDE0253", f"the flow `{point.name}` of `{_package(point)}` cannot be loaded", None, "", why, hint)
        ) from error
    return made._replace(name=point.name.lower())


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value.split(":")[0]


def _taken(name: str, by: str, span: Span | None) -> Finding:
    severity = Severity.ERROR if span is not None else Severity.WARNING
    whose = "" if span is not None else f" of {by}"
    why = f"{by} has one of this name" if span is not None else "xde itself or another plug-in has one of this name, and that one is called"
    return Finding("XDE0250", f"the flow `{name}`{whose} has a name that is taken", span, "", why, "give it another name", severity)
