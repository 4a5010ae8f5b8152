"""Contracts of now compared with those of before: what changed, whom it hits, whether the versions say so."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xde.app.revisions import file_at, files_at, meaning_of, path_in
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Findings, Severity
from xde.ground.records import dataclass
from xde.kernel.project.files import contract_files, project_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from xde.app.impact import Impact
    from xde.app.understanding import Understanding
    from xde.ground.spans import Span
    from xde.kernel.project.contract import Contract
    from xde.undercurrents.management.compatibility.judging import Judged, Judgement
    from xde.undercurrents.management.compatibility.kinds import Change

BREAKING = {"XDE0360", "XDE0363", "XDE0365"}
"""What may be allowed with a reason."""


@dataclass(frozen=True)
class ChangeLine:
    """A change, the dataset that it concerns as the project calls it, and who is hit; None when that is not known."""

    judged: Judged
    dataset: str
    impact: Impact | None

    @property
    def subject(self) -> str:
        """`schema.name.column`, as the project calls it; empty for the whole contract."""
        inner = self.judged.change.element.partition(".")[2]
        return f"{self.dataset}.{inner}" if inner else self.dataset


@dataclass(frozen=True)
class Compared:
    """One contract compared."""

    judgement: Judgement
    lines: tuple[ChangeLine, ...]


@dataclass(frozen=True)
class Comparison:
    """All contracts that changed; `unknown` says why nobody knows who reads them, if so; `allowed` is the reason given for a break."""

    against: str
    compared: tuple[Compared, ...]
    findings: tuple[Finding, ...]
    unknown: str = ""
    allowed: str = ""


@dataclass(frozen=True)
class _Read:
    """A contract and the place of its version."""

    contract: Contract
    place: Span


def check(root: Path, against: str, allowed: str = "", was: Understanding | None = None) -> Comparison:
    """Every contract of the project under `root`, compared with a commit or another folder; `was` is what that meant, if it is known."""
    root = root.resolve()
    folder = Path(against)
    old = contract_files(folder) if was is not None and folder.is_dir() else files_at(root, against)
    new = contract_files(root)
    changed = [p for p in old.keys() | new.keys() if old.get(p) != new.get(p) and _is_contract(p)]
    if not changed:
        return Comparison(against, (), (), allowed=allowed)
    now = {p: _read(new[p], p) for p in sorted(changed) if p in new}
    before = f"{against.rstrip('/')}/" if folder.is_dir() else f"{against}:"
    then = {p: _read(old[p], before + p, strict=False) for p in sorted(changed) if p in old}
    with ExitStack() as stack:
        known, unknown = (was, "") if was is not None else _meaning(stack, old, root)
        compared = [c for c in _pairs(then, now, known) if c.lines or c.judgement.findings]
    findings = Findings()
    findings.extend(f for c in compared for f in c.judgement.findings)
    return allow(Comparison(against, tuple(compared), tuple(findings), unknown), allowed)


def allow(found: Comparison, reason: str) -> Comparison:
    """The same with a reason why promises may be broken, if one is given: a break is told then, and stops nothing."""
    return replace(found, findings=tuple(_allowed(f, reason) for f in found.findings), allowed=reason)


def diff(root: Path | None, old: str, new: str | None) -> Comparison:
    """Two versions of one contract, each a path or `COMMIT:PATH`; one alone is compared with what it was at `HEAD`."""
    older, newer = (f"HEAD:{old}", old) if new is None else (old, new)
    then, now = _given(older, root, strict=False), _given(newer, root)
    with ExitStack() as stack:
        known, unknown = _meaning_near(stack, root, older, newer)
        before = replace(then.contract, path=_within(root, older))
        compared = _compare(_Read(before, then.place), now, known)
    return Comparison(older, (compared,) if compared.lines else (), compared.judgement.findings, unknown)


def _is_contract(path: str) -> bool:
    return path.startswith(("sources/", "models/")) and path.endswith((".yaml", ".yml"))


def _read(content: bytes, shown: str, *, strict: bool = True) -> _Read:
    from xde.kernel.project.odcs import read_contract

    contract, tree, findings = read_contract(content, shown)
    errors = [f for f in findings if f.severity is Severity.ERROR]
    if contract is None or tree is None or (strict and errors):
        raise UserError(*(errors or findings))
    return _Read(contract, tree.place("version"))


def _given(word: str, root: Path | None, *, strict: bool = True) -> _Read:
    """A contract by path or by `COMMIT:PATH`; paths count from here, else from the project."""
    for folder in (Path(), root):
        if folder is not None and (folder / word).is_file():
            return _read((folder / word).read_bytes(), word, strict=strict)
    reference, colon, path = word.partition(":")
    if not colon or not path:
        raise UserError(Finding("XDE0366", f"there is no file `{word}`", hint="write a path, or `COMMIT:PATH` for what Git has"))
    folder = root if root is not None and not (Path(path).exists()) else Path()
    return _read(file_at(folder, reference, path), word, strict=strict)


def _within(root: Path | None, word: str) -> str:
    """The path inside the project, by which its datasets are named; of what lies outside the path itself."""
    reference, colon, path = word.partition(":")
    at_commit = bool(colon and reference and not Path(word).is_file())
    plain = path if at_commit else word
    if root is None:
        return plain
    top = root.resolve()
    if at_commit and not Path(plain).exists():
        return path_in(top, plain)
    found = Path(plain).resolve() if Path(plain).exists() else top / plain
    return found.relative_to(top).as_posix() if found.is_relative_to(top) else plain


def _meaning(stack: ExitStack, files: Mapping[str, bytes], root: Path | None) -> tuple[Understanding | None, str]:
    try:
        return stack.enter_context(meaning_of(files, root)), ""
    except UserError as error:
        return None, f"the project as it was does not load: {error.findings[0].message}"


def _meaning_near(stack: ExitStack, root: Path | None, old: str, new: str) -> tuple[Understanding | None, str]:
    """What the project meant at the old version's commit, or means now; nothing for files that are no part of one."""
    if root is None or not _is_contract(_within(root, old)) or not any(_is_contract(_within(root, w)) for w in (old, new)):
        return None, ""
    reference, colon, _ = old.partition(":")
    at_commit = colon and not Path(old).is_file()
    files = files_at(root, reference) if at_commit else {f.path: f.content for f in project_files(root).all if f.content is not None}
    return _meaning(stack, files, root)


def _pairs(then: Mapping[str, _Read], now: Mapping[str, _Read], known: Understanding | None) -> Iterator[Compared]:
    """Contracts of the same path; then those of the same id, which were moved; then those that came and went."""
    from xde.undercurrents.management.compatibility.judging import judge_added, judge_dropped

    moved = _moved({p: r.contract.id for p, r in then.items() if p not in now}, {p: r.contract.id for p, r in now.items() if p not in then})
    for path in sorted(then.keys() | now.keys()):
        old = then.get(path) or then.get(moved.get(path, ""))
        new = now.get(path)
        old = _Read(replace(old.contract, path=path if path in then else moved[path]), old.place) if old else None
        if new is not None and old is not None:
            yield _compare(old, new, known)
        elif new is not None:
            yield _compared(judge_added(new.contract), "", path, known)
        elif old is not None and path not in moved.values():
            reads = _Reads(path, known)
            yield _compared(judge_dropped(old.contract, reads.is_read), path, "", known)


def _moved(gone: Mapping[str, str], came: Mapping[str, str]) -> dict[str, str]:
    """New path to old path, by an id that is there once on each side."""
    ids = list(gone.values())
    return {
        new: next(p for p, i in gone.items() if i == ident)
        for new, ident in came.items()
        if ident and ids.count(ident) == 1 and list(came.values()).count(ident) == 1
    }


def _compare(old: _Read, new: _Read, known: Understanding | None) -> Compared:
    from xde.undercurrents.management.compatibility.judging import judge

    reads = _Reads(old.contract.path, known)
    moved = tuple(_renamed(old.contract, new.contract))
    judgement = judge(old.contract, new.contract, place=new.place, is_read=reads.is_read, more=moved)
    return _compared(judgement, old.contract.path, new.contract.path, known)


def _renamed(old: Contract, new: Contract) -> Iterator[Change]:
    """The datasets that get another name because their contract lies elsewhere."""
    from xde.undercurrents.management.compatibility.kinds import Change, ChangeKind

    if not (_is_contract(old.path) and _is_contract(new.path)):
        return
    for table in old.schema:
        names = dataset_of(old.path, table.name), dataset_of(new.path, table.name)
        if names[0] != names[1] and any(t.name == table.name for t in new.schema):
            yield Change(ChangeKind.TABLE_RENAMED, table.name, table.name, "file", *names, span=new.span)


def _compared(judgement: Judgement, old_path: str, new_path: str, known: Understanding | None) -> Compared:
    reads = _Reads(old_path, known)
    lines = []
    for judged in judgement.judged:
        change = judged.change
        name = dataset_of(new_path if change.now else old_path, change.element.split(".")[0]) if change.element else ""
        lines.append(ChangeLine(judged, name, reads.impact(change)))
    return Compared(judgement, tuple(lines))


def dataset_of(path: str, table: str) -> str:
    """The name of the dataset that a table of a contract describes; of a contract outside a project the table's own name."""
    if not _is_contract(path):
        return table
    stem = path.rpartition("/")[2].removesuffix(".yml").removesuffix(".yaml").removesuffix(".odcs")
    return f"{stem}.{table}" if path.startswith("sources/") else f"{path.split('/')[1]}.{stem}"


class _Reads:
    """Who reads what a contract describes, as far as it is known."""

    def __init__(self, path: str, known: Understanding | None) -> None:
        self._path = path
        self._known = known
        self._found: dict[tuple[str, str], Impact] = {}

    def impact(self, change: Change) -> Impact | None:
        """Who is hit by a change; of a contract as a whole nobody in particular."""
        if self._known is None or not change.was:
            return None
        return self._of(dataset_of(self._path, change.table), change.column)

    def is_read(self, change: Change) -> bool | None:
        """Whether anybody in the project reads what changes; of something new or of the contract as a whole it cannot be said."""
        found = self.impact(change)
        return None if found is None else bool(found.consumers)

    def _of(self, dataset: str, column: str) -> Impact:
        from xde.app.impact import impact_of

        if (dataset, column) not in self._found and self._known is not None:
            self._found[dataset, column] = impact_of(self._known, dataset, column)
        return self._found[dataset, column]


def _allowed(finding: Finding, reason: str) -> Finding:
    """A break that is allowed with a reason is told, and stops nothing."""
    if not reason or finding.code not in BREAKING or finding.severity is not Severity.ERROR:
        return finding
    return replace(finding, severity=Severity.WARNING, hint=f"allowed: {reason}")
