"""One example by itself, on plain tables, as the model would meet it: what is told of a failure was seen here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.ground.names import quoted, quoted_name
from xde.undercurrents.engineering.properties import guarantees
from xde.undercurrents.engineering.properties.generating import EXAMPLE, ROW
from xde.undercurrents.engineering.properties.guarantees import RUNS, Relations, broken
from xde.undercurrents.engineering.properties.increments import Growth, Rows
from xde.undercurrents.engineering.properties.premises import binding
from xde.undercurrents.engineering.properties.target import Increment
from xde.undercurrents.engineering.testing.comparing import Comparison, How, compare
from xde.undercurrents.engineering.testing.promising import by_order, orphans, wrong_rows
from xde.undercurrents.engineering.testing.sandbox import Asked, QueryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.kernel.plan.checks import Check
    from xde.undercurrents.engineering.properties.guarantees import Guarantee
    from xde.undercurrents.engineering.properties.premises import Premise
    from xde.undercurrents.engineering.properties.target import Target
    from xde.undercurrents.engineering.testing.sandbox import Result, Scratch

ONE = "xde_out.one"


@dataclass(slots=True)
class Trial:
    """The model on the tables of one example, under the names of its own inputs. `premises` are those that it reads or refers to."""

    scratch: Scratch
    target: Target
    premises: Mapping[str, Premise]
    _valid: str = ""

    def example(self, number: int) -> None:
        """Lay out an example of many."""
        for name in self.premises:
            self.lay(name, self.target.alone(name, f"WHERE {EXAMPLE} = {number}"))

    def lay(self, name: str, sql: str) -> None:
        """Other rows for one dataset."""
        self.scratch.keep(name, Asked(sql))

    def asked(self) -> Asked:
        """The model's query over the plain tables."""
        subject = self.target.subject
        return Asked(subject.query, {n: subject.parameters[n] for n in subject.used}, self.target.views_left(), subject.parameters)

    def result(self) -> Result:
        """What the model makes of the example. Raises `QueryError`."""
        return self.scratch.ask(self.asked())

    def breaks(self, guarantee: Guarantee) -> bool:
        """Whether the example as it lies breaks a guarantee."""
        if guarantee.law and guarantee.law != RUNS:
            return not self.difference(guarantee.law).equal
        try:
            self.scratch.keep(ONE, self.asked())
        except QueryError:
            return guarantee.law == RUNS
        if guarantee.check is None:
            return False
        try:
            return bool(self.scratch.ask(Asked(f"SELECT 1 FROM ({broken(guarantee, self._relations())}) LIMIT 1")).rows)
        except (QueryError, ValueError):
            return False

    def error(self) -> str:
        """Why the model does not run on the example; empty when it does."""
        try:
            self.scratch.keep(ONE, self.asked())
        except QueryError as error:
            return str(error)
        return ""

    def at_fault(self, check: Check) -> tuple[int, ...]:
        """Which rows of the result break a rule, by position, as far as a rule is one of rows."""
        wrong = wrong_rows(check, ONE, quoted_name(check.to_dataset or check.dataset))
        if wrong is None:
            return ()
        rows = self.scratch.ask(Asked(f"SELECT coalesce({wrong}, FALSE) FROM {ONE} AS t ORDER BY t.rowid")).rows
        return tuple(i for i, (found,) in enumerate(rows) if found)

    def rows(self, name: str) -> Result:
        """The rows of a dataset as they lie."""
        return self.scratch.ask(Asked(f"SELECT * FROM {quoted_name(name)} ORDER BY rowid"))

    def came(self) -> Result:
        """The rows that the model made when it was last looked at."""
        return self.scratch.ask(Asked(f"SELECT * FROM {ONE} ORDER BY rowid"))

    def _relations(self) -> Relations:
        """The plain tables as if they were one example of many."""
        given = {n: f"(SELECT 0 AS {EXAMPLE}, * FROM {quoted_name(n)})" for n in self.premises}
        return Relations(f"(SELECT 0 AS {EXAMPLE}, * FROM {ONE})", given, f"SELECT 0 AS {EXAMPLE}")

    def difference(self, law: str) -> Comparison:
        """What a law that is broken changes in the result; nothing when it holds."""
        match law:
            case guarantees.ORDER:
                return self.by_order()
            case guarantees.AGAIN:
                return self.again()
            case _:
                return self.in_pieces()

    def in_pieces(self) -> Comparison:
        """How the result of building piece by piece differs from that of the whole, for the first split that shows it."""
        growth = Growth(self.target, self.target.increment or Increment(), self.premises)
        given = {n: f"(SELECT 0 AS {EXAMPLE}, rowid AS {ROW}, * FROM {quoted_name(n)})" for n in self.target.given}
        try:
            self.scratch.keep(ONE, self.asked())
            asked, full = growth.built(Rows(given, f"(SELECT 0 AS {EXAMPLE}, * FROM {ONE})"))
            built, whole = self.scratch.ask(asked), self.scratch.ask(Asked(full))
        except QueryError:
            return Comparison(())
        for piece in sorted({r[1] for r in (*built.rows, *whole.rows)}, key=str):
            first, second = ([r[2:] for r in side.rows if r[1] == piece] for side in (whole, built))
            found = compare([c for c, _ in built.columns[2:]], first, second, How(key=self.target.subject.key))
            if not found.equal:
                return found
        return Comparison(())

    def again(self) -> Comparison:
        """How the result differs when the model is run twice on the same rows."""
        try:
            return self._compared(self.result(), self.result())
        except QueryError:
            return Comparison(())

    def by_order(self) -> Comparison:
        """How the result differs when the rows of the inputs come in another order."""
        return by_order(self.scratch, self.target.given, self.result, self.target.subject.key)

    def _compared(self, first: Result, second: Result) -> Comparison:
        return compare([c for c, _ in first.columns], first.rows, second.rows, How(key=self.target.subject.key))

    def valid(self) -> bool:
        """Whether the tables as they lie keep every contract that binds them."""
        if not self._valid:
            self._valid = " UNION ALL ".join(v for p in self.premises.values() for v in self._violations(p)) or "SELECT 1 WHERE false"
        try:
            return not self.scratch.ask(Asked(f"SELECT 1 FROM ({self._valid}) LIMIT 1")).rows
        except QueryError:
            return False

    def _violations(self, premise: Premise) -> list[str]:
        table = quoted_name(premise.name)
        found = [f"SELECT 1 FROM {table} WHERE NOT coalesce(({r.predicate}), TRUE)" for r in premise.rules]
        for key in premise.keys:
            columns = ", ".join(quoted(c) for c in key)
            whole = " AND ".join(f"{quoted(c)} IS NOT NULL" for c in key)
            found.append(f"SELECT 1 FROM {table} WHERE {whole} GROUP BY {columns} HAVING count(*) > 1")
        for check in premise.references:
            if binding(check) and check.to_dataset in self.premises:
                found.append(f"SELECT 1 FROM {table} AS t WHERE {orphans(check, quoted_name(check.to_dataset), None)}")
        found += [f"SELECT 1 WHERE ({q.query.replace('{object}', table)}\n) <> 0" for q in premise.questions]
        least = premise.sizes[0]
        return [*found, *([f"SELECT 1 FROM (SELECT count(*) AS c FROM {table}) WHERE c < {least}"] if least else [])]
