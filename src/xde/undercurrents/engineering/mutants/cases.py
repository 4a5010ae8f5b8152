"""A case of a model as a trial of its mutants: the same rows, the same comparison, another query."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.ground.errors import Bug, UserError
from xde.undercurrents.engineering.mutants.killing import UnboundError
from xde.undercurrents.engineering.testing.exercising import asked_of, give, judge, promises, query_of
from xde.undercurrents.engineering.testing.sandbox import QueryError, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from xde.undercurrents.engineering.testing.case import Case, Cell
    from xde.undercurrents.engineering.testing.exercising import Subject
    from xde.undercurrents.engineering.testing.sandbox import Asked, Sandbox, Scratch


@dataclass(frozen=True)
class CaseTrial:
    """A plain case (`Case.plain`) with the model as it sees it; `file_of` says where its Parquet fixtures lie."""

    sandbox: Sandbox
    subject: Subject
    case: Case
    file_of: Mapping[str, str]

    @property
    def name(self) -> str:
        """File and name of the case."""
        return self.case.id

    @cached_property
    def digest(self) -> str:
        """All but the model's own query."""
        subject = self.subject
        used = {*subject.used, *(p for _, ps in subject.views.values() for p in ps)}
        values = {n: v for n, v in {**subject.parameters, **self.case.parameters}.items() if n in used}
        promised = [repr(o.properties) for n in subject.inputs if (o := subject.objects.get(n))]
        promised += [repr(c) for c in subject.checks]
        return digest(self.case.digest, self.case.id, subject.types, subject.stored, subject.inputs, subject.views, values, promised)

    @contextmanager
    def ready(self) -> Iterator[Callable[[str], bool]]:
        """The inputs are loaded once; what is expected is read once."""
        only = self.case.rounds[0]
        with self.sandbox.scratch() as scratch:
            try:
                give(scratch, self.subject, only.given, self.file_of)
            except UserError:
                yield lambda _: False  # the case itself is wrong: the model does not pass it either
                return
            yield _Bench(self, _Remembering(scratch)).passes


class _Bench:
    """A case with its inputs loaded."""

    def __init__(self, trial: CaseTrial, scratch: _Remembering) -> None:
        self._trial, self._scratch = trial, scratch
        self._right: Result | None = None

    def passes(self, sql: str) -> bool:
        """Whether a query in the place of the model's passes."""
        trial = self._trial
        only = trial.case.rounds[0]
        subject = replace(trial.subject, sql=sql, used=tuple(p for p in trial.subject.used if re.search(rf"\$\s*{re.escape(p)}\b", sql)))
        try:
            asked = asked_of(subject, trial.case, query_of(subject, trial.case), only.given)
        except UserError as error:  # the part that the case looks at is not there
            raise UnboundError(str(error)) from error
        try:
            result = self._scratch.ask(asked)
        except QueryError as error:
            self._must_bind(asked)
            if sql != trial.subject.sql and not self.passes(trial.subject.sql):
                raise Bug(f"after a mutant that failed, its model fails as well: {error}") from error
            return False
        if result == self._right:
            return True
        try:
            comparison = judge(self._scratch, subject, trial.case, only.expect, self._as_of_the_model(result))
        except UserError:  # it gives no column of an expected name
            return False
        right = (comparison is None or comparison.equal) and not promises(self._scratch, subject, trial.case, asked.sql)
        if right and self._right is None:
            self._right = result
        return right

    def _as_of_the_model(self, result: Result) -> Result:
        """Rows with the types of the model's columns, so that what is expected is read by these: a mutant's may be too narrow for it."""
        if self._right is None or [n for n, _ in result.columns] != [n for n, _ in self._right.columns]:
            return result
        return Result(self._right.columns, result.rows)

    def _must_bind(self, asked: Asked) -> None:
        """Tell a query that is none from one that fails on these rows."""
        subject, given = self._trial.subject, self._trial.case.rounds[0].given
        with self._trial.sandbox.scratch() as empty:
            for name, types in subject.inputs.items():
                if name in given or name not in subject.views:
                    empty.table(name, types, ())
            try:
                empty.ask(asked)
            except QueryError as error:
                raise UnboundError(str(error)) from error


class _Remembering:
    """A scratch database that makes values of the same cells only once: the expected rows are the same for all mutants."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._values: dict[str, tuple[tuple[object, ...], ...]] = {}
        self.table, self.parquet, self.replace, self.keep, self.save, self.ask = (
            scratch.table,
            scratch.parquet,
            scratch.replace,
            scratch.keep,
            scratch.save,
            scratch.ask,
        )

    def values(self, types: Mapping[str, str], rows: Sequence[Sequence[Cell]]) -> tuple[tuple[object, ...], ...]:
        """See `Scratch`."""
        key = repr((list(types.items()), rows))
        found = self._values.get(key)
        if found is None:
            found = self._values[key] = self._scratch.values(types, rows)
        return found
