"""Probes run on a real DuckDB: tables written out, counts by the text and the outcome of each branch."""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb
import pytest

from xde.undercurrents.engineering.coverage.probing import Survey, survey


@dataclass
class Bench:
    """A database with tables `name: (columns, rows)`; `count` gives `{"text: outcome": hits}`."""

    database: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)

    def tables(self, **tables: tuple[str, list[tuple]]) -> Bench:
        for name, (columns, rows) in tables.items():
            self.database.execute(f"CREATE OR REPLACE TABLE {name} ({columns})")
            if rows:
                places = ", ".join(["(" + ", ".join("?" * len(rows[0])) + ")"] * len(rows))
                self.database.execute(f"INSERT INTO {name} VALUES {places}", [cell for row in rows for cell in row])
        return self

    def ask(self, found: Survey, **parameters: object) -> dict[str, int]:
        hits: dict[str, int] = {}
        for probe in found.probes:
            rows = self.database.execute(probe.sql, {p: parameters[p] for p in probe.parameters}).fetchall()
            assert len(rows) == 1
            assert len(rows[0]) == len(probe.branches)
            for part in probe.parts:
                counts = self.database.execute(part.sql, {p: parameters[p] for p in part.parameters}).fetchone()
                whole = dict(zip([b.id for b in probe.branches], rows[0], strict=True))
                assert dict(zip([b.id for b in part.branches], counts, strict=True)).items() <= whole.items()
            for branch, count in zip(probe.branches, rows[0], strict=True):
                name = f"{branch.text}: {branch.outcome}"
                assert name not in hits or branch.line, name
                hits[name if name not in hits else f"{name} @{branch.line}:{branch.column}"] = count
        return hits

    def count(self, sql: str, **parameters: object) -> dict[str, int]:
        self.database.execute(sql, parameters).fetchall()  # the query itself must run, or the test says nothing
        return self.ask(survey(sql), **parameters)


@pytest.fixture
def bench() -> Bench:
    return Bench()
