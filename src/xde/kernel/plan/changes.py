"""Why a dataset means something else than before: the line that changed, the columns that it reaches, what it reads that has changed."""

from __future__ import annotations

from dataclasses import field
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from xde.ground.records import dataclass
from xde.kernel.project.declarations import Kind, ModelDataset, SourceDataset

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.kernel.graph.analysis import Analysis, ColumnRef
    from xde.kernel.project.declarations import Dataset

_FEW = 4  # names in one sentence


@dataclass(frozen=True, slots=True)
class Side:
    """A project at one time: its datasets, what their SQL was found to mean, their versions, the values of its parameters."""

    datasets: Mapping[str, Dataset]
    analyses: Mapping[str, Analysis]
    versions: Mapping[str, str]
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """What is different about a dataset.

    `columns` are those that mean something else, `added` and `dropped` those that came and went, `rows` whether other rows can be
    there. `own` is the place of the first line of its own text that changed; `because` are the columns upstream that made it.
    """

    dataset: str
    columns: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    rows: bool = False
    own: str = ""
    because: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """In a sentence."""
        what = [*self.others]
        if self.own:
            what.append(f"its text has changed ({self.own})")
        if self.because:
            what.append(f"{_names(self.because)}, which it reads, {'has' if len(self.because) == 1 else 'have'} changed")
        reach = []
        if self.added:
            reach.append(f"{_names(self.added)} {'is' if len(self.added) == 1 else 'are'} new")
        if self.dropped:
            reach.append(f"{_names(self.dropped)} {'goes' if len(self.dropped) == 1 else 'go'}")
        if self.rows:
            reach.append("which rows there are changes")
        elif self.columns:
            reach.append(f"{_names(self.columns)} {'means' if len(self.columns) == 1 else 'mean'} something else")
        return ": ".join(filter(None, [", ".join(what), ", ".join(reach)])) or "what it means has changed"


def changes(old: Side, new: Side) -> dict[str, Change]:
    """What is different about each dataset that is on both sides in different versions."""
    found: dict[str, Change] = {}
    for name, dataset in new.datasets.items():
        before = old.datasets.get(name)
        if before is None or old.versions.get(name) == new.versions[name]:
            continue
        if isinstance(dataset, ModelDataset) and isinstance(before, ModelDataset):
            found[name] = _model(before, dataset, old, new)
        elif isinstance(dataset, SourceDataset) and isinstance(before, SourceDataset):
            found[name] = _source(before, dataset)
    return found


def _model(before: ModelDataset, now: ModelDataset, old: Side, new: Side) -> Change:
    was, is_now = old.analyses.get(now.name), new.analyses[now.name]
    if was is None:
        return Change(now.name)
    digests = {c.name: c.digest for c in was.columns}
    columns = tuple(c.name for c in is_now.columns if digests.get(c.name, c.digest) != c.digest)
    others = []
    if before.head.kind is not now.head.kind:
        others.append(f"its kind is now `{now.head.kind.value}`")
    values = [p for p in is_now.parameters if old.parameters.get(p) != new.parameters.get(p)]
    others += [f"`${p}` is now {new.parameters.get(p)}" for p in values]
    promised = _types(before) != _types(now)
    others += ["the types that its contract promises have changed"] if promised else []
    return Change(
        now.name,
        columns,
        tuple(c.name for c in is_now.columns if c.name not in digests),
        tuple(n for n in digests if n not in {c.name for c in is_now.columns}),
        was.rows_digest != is_now.rows_digest,
        _first_change(before, now),
        _upstream(is_now, columns, old, new),
        tuple(others),
    )


def _upstream(analysis: Analysis, columns: tuple[str, ...], old: Side, new: Side) -> tuple[str, ...]:
    """The columns upstream that changed and reach those of this model, or decide on its rows."""
    read: dict[ColumnRef, None] = dict.fromkeys(analysis.row_reads)
    for column in analysis.columns:
        if column.name in columns:
            read.update(dict.fromkeys(column.reads))
    return tuple(str(ref) for ref in read if _changed(ref, old, new))


def _changed(ref: ColumnRef, old: Side, new: Side) -> bool:
    was, is_now = old.analyses.get(ref.dataset), new.analyses.get(ref.dataset)
    if was is None or is_now is None:
        return old.versions.get(ref.dataset) != new.versions.get(ref.dataset)
    digests = ({c.name: c.digest for c in side.columns}.get(ref.column) for side in (was, is_now))
    return len(set(digests)) == 2 or was.rows_digest != is_now.rows_digest


def _source(before: SourceDataset, now: SourceDataset) -> Change:
    types = {p.name: (p.physical_type, p.logical_type, dict(p.options)) for p in before.object.properties}
    now_types = {p.name: (p.physical_type, p.logical_type, dict(p.options)) for p in now.object.properties}
    changed = tuple(n for n, t in now_types.items() if n in types and types[n] != t)
    added = tuple(n for n in now_types if n not in types)
    dropped = tuple(n for n in types if n not in now_types)
    others = () if changed or added or dropped else ("how it is read has changed",)
    own = f"{now.object.span.path}:{now.object.span.line}" if now.object.span and not others else ""
    return Change(now.name, changed, added, dropped, own=own, others=others)


def _types(model: ModelDataset) -> list[tuple[str, str]]:
    return sorted((p.name, p.physical_type or p.logical_type or "") for p in model.object.properties) if model.object else []


def _first_change(before: ModelDataset, now: ModelDataset) -> str:
    """`models/marts/x.sql:14`, the first line that is not as it was; empty when the text is the same."""
    if now.python is not None and before.python is not None:
        texts = dict(before.python.files)
        changed = next(((p, t) for p, t in now.python.files if texts.get(p) != t), None)
        return f"{changed[0]}:{1 + _first_line(texts.get(changed[0], ''), changed[1])}" if changed is not None else ""
    if before.sql == now.sql:
        return ""
    if now.head.kind is Kind.SEED:
        return now.path
    return f"{now.path}:{(1 if now.python else now.sql_line) + _first_line(before.sql, now.sql)}"


def _first_line(before: str, now: str) -> int:
    one, other = before.splitlines(), now.splitlines()
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    line = next((low for tag, _, _, low, _ in blocks if tag != "equal"), 0)
    return min(line, max(0, len(other) - 1))


def _names(names: tuple[str, ...]) -> str:
    shown = ", ".join(f"`{n}`" for n in names[:_FEW])
    return f"{shown} and {len(names) - _FEW} more" if len(names) > _FEW else shown
