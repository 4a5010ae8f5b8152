"""What somebody wants to see of a dataset, and the query that gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean, quoted, quoted_name

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be shown: a condition in SQL, columns (all when none), at most `limit` rows, a snapshot, a version."""

    dataset: str
    where: str | None
    columns: tuple[str, ...]
    limit: int | None
    at: int | None
    version: str | None

    def sql(self, names: Sequence[str]) -> str:
        """The query over a dataset that has these columns; an unknown column raises `UserError` with the nearest."""
        for column in self.columns:
            if column not in names:
                raise UserError(Finding("XDE0725", f"`{self.dataset}` has no column `{column}`", hint=did_you_mean(column, names)))
        chosen = ", ".join(quoted(c) for c in (self.columns or names))
        sql = f"SELECT {chosen} FROM {quoted_name(self.dataset)}"
        if self.where:
            sql += f" WHERE ({self.where}\n)"
        return sql if self.limit is None else f"{sql} LIMIT {self.limit:d}"
