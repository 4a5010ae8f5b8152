"""Tables profiled in DuckDB: one fused aggregate over a sample, a grouping a column, exact counts over all rows where they decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xde.connectors.duckdb.ingestion.casts import cast
from xde.ground.names import literal, quoted
from xde.lifecycle.ingestion.patterns import strptime
from xde.lifecycle.ingestion.port import Field
from xde.undercurrents.management.profiling.facts import ColumnFacts
from xde.undercurrents.management.profiling.port import Candidate, Contained

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.connectors.duckdb.session import Scope
    from xde.undercurrents.management.profiling.facts import TextReading

SEED = 20130101
TOP = 10
MASKED = 100_000
QUANTILES = "[0.05, 0.25, 0.5, 0.75, 0.95]"
_ZEROS = "'-?0[0-9]+'"


class DuckdbTexts:
    """See `undercurrents.management.profiling.port.Texts`."""

    def __init__(self, scope: Scope, source: str, names: Sequence[str], decimal: str = ".") -> None:
        self._scope = scope
        self._source = source
        self._names = list(names)
        self._decimal = decimal

    def names(self) -> Sequence[str]:
        """The columns."""
        return self._names

    def words(self, words: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
        """How often words stand alone in columns."""
        known = ", ".join(literal(w) for w in words)
        parts = [f"histogram(CASE WHEN lower({quoted(n)}) IN ({known}) THEN {quoted(n)} END)" for n in self._names]
        row = self._row(f"SELECT {', '.join(parts)} FROM {self._source}")
        return {n: dict(found or {}) for n, found in zip(self._names, row, strict=True)}

    def present(self, nulls: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        """How many texts there are, and how many numbers with a nought before."""
        parts = [f"count({quoted(n)}), count(*) FILTER (WHERE regexp_full_match({quoted(n)}, {_ZEROS}))" for n in self._names]
        row = self._row(f"SELECT {', '.join(parts)} FROM ({self._given(self._names, nulls)})")
        return {n: (int(row[2 * i]), int(row[2 * i + 1])) for i, n in enumerate(self._names)}

    def some(self, names: Sequence[str], nulls: Sequence[str], limit: int) -> Mapping[str, Sequence[str]]:
        """Some different texts of each column."""
        if not names:
            return {}
        given = f"(SELECT * FROM ({self._given(names, nulls)}) USING SAMPLE reservoir({limit * 4} ROWS) REPEATABLE ({SEED}))"
        row = self._row(f"SELECT {', '.join(f'list(DISTINCT {quoted(n)})' for n in names)} FROM {given}")
        return {n: tuple(v for v in found or () if v is not None)[:limit] for n, found in zip(names, row, strict=True)}

    def misfits(self, asked: Mapping[str, Sequence[Candidate]], nulls: Sequence[str]) -> Mapping[str, Sequence[int]]:
        """How many texts are no value of each candidate."""
        names = [n for n, candidates in asked.items() if candidates]
        if not names:
            return dict.fromkeys(asked, ())
        casts = {(n, i): self._cast(n, i, c) for n in names for i, c in enumerate(asked[n])}
        values = ", ".join(f"{made[1]} AS {quoted(made[0])}" for made in casts.values())
        wrong = ", ".join(f"count(*) FILTER (WHERE {made[2]})" for made in casts.values())
        inner = f"SELECT *, {values} FROM ({self._given(names, nulls)})"
        row = iter(self._row(f"SELECT {wrong} FROM ({inner})"))
        return {n: tuple(int(next(row)) for _ in asked[n]) for n in asked}

    def wrong(self, column: str, candidate: Candidate, nulls: Sequence[str]) -> Sequence[str]:
        """A few texts that are no value of a candidate."""
        name, value, wrong = self._cast(column, 0, candidate)
        inner = f"SELECT *, {value} AS {quoted(name)} FROM ({self._given([column], nulls)})"
        found = self._scope.cursor.execute(f"SELECT DISTINCT {quoted(column)} FROM ({inner}) WHERE {wrong} ORDER BY 1 LIMIT 3").fetchall()
        return [str(row[0]) for row in found]

    def typed(self, readings: Mapping[str, TextReading], nulls: Sequence[str]) -> str:
        """The query of the columns in their types."""
        own = [w for r in readings.values() for w in r.words]
        parts = []
        for name, reading in readings.items():
            words = [*nulls, *reading.words] if own else list(nulls)
            text = _without(name, words)
            made = cast(_field(name, Candidate(reading.type, reading.logical, reading.format)), text, self._decimal)
            parts.append(f"{made.value} AS {quoted(name)}")
        return f"SELECT {', '.join(parts)} FROM {self._source}"

    def _cast(self, column: str, index: int, candidate: Candidate) -> tuple[str, str, str]:
        """The name of a cast value, its SQL, and that of whether it is wrong."""
        name = f"{column} as {index}"
        made = cast(_field(name, candidate), quoted(column), self._decimal)
        wrong = made.wrong
        if candidate.type == "BOOLEAN":
            said = f"lower({quoted(column)}) IN ('true', 'false', 't', 'f', 'yes', 'no')"
            wrong = f"{quoted(column)} IS NOT NULL AND ({wrong} OR NOT {said})"
        return name, made.value, wrong

    def _given(self, names: Sequence[str], nulls: Sequence[str]) -> str:
        return f"SELECT {', '.join(f'{_without(n, nulls)} AS {quoted(n)}' for n in names)} FROM {self._source}"

    def _row(self, sql: str) -> tuple[Any, ...]:
        found: tuple[Any, ...] | None = self._scope.cursor.execute(sql).fetchone()
        return found or ()


class DuckdbRows:
    """See `undercurrents.management.profiling.port.Rows`: a relation of all rows, and a table of a sample of them, or of all."""

    def __init__(self, scope: Scope, name: str, query: str, sample: int, of: int | None = None) -> None:
        """`of`: the query gives only a sample already, of so many rows."""
        self._scope = scope
        self.whole, self.some = f"{quoted('whole ' + name)}", f"{quoted('some ' + name)}"
        run = scope.cursor.execute
        run(f"CREATE VIEW {self.whole} AS {query}")
        self._count = int(self._row(f"SELECT count(*) FROM {self.whole}")[0]) if of is None else of
        if of is None and self._count > sample:
            run(f"CREATE TABLE {self.some} AS SELECT * FROM {self.whole} USING SAMPLE reservoir({sample} ROWS) REPEATABLE ({SEED})")
        else:
            run(f"CREATE TABLE {self.some} AS SELECT * FROM {self.whole}")
            self.whole = self.some
        self._looked_at = int(self._row(f"SELECT count(*) FROM {self.some}")[0])
        self._types = {str(r[0]): str(r[1]) for r in run(f"DESCRIBE {self.some}").fetchall()}

    @property
    def count(self) -> int:
        """The number of all rows."""
        return self._count

    @property
    def looked_at(self) -> int:
        """The number of rows in the sample."""
        return self._looked_at

    def survey(self) -> tuple[ColumnFacts, ...]:
        """The figures of every column."""
        shapes = {n: _Shape(n, t) for n, t in self._types.items()}
        parts = [part for shape in shapes.values() for part in shape.parts()]
        row = iter(self._row(f"SELECT {', '.join(parts)} FROM {self.some}")) if parts else iter(())
        told = {n: shape.read(row) for n, shape in shapes.items()}
        far = self._far({n: t["quantiles"] for n, t in told.items() if t.get("quantiles")})
        return tuple(self._facts(n, told[n], far.get(n)) for n in self._types)

    def distinct(self, columns: Sequence[str]) -> int:
        """How many different rows these columns have."""
        names = ", ".join(quoted(c) for c in columns)
        return int(self._row(f"SELECT count(*) FROM (SELECT DISTINCT {names} FROM {self.whole})")[0])

    def complete(self, columns: Sequence[str]) -> int:
        """How many rows have a value in each of these columns."""
        there = " AND ".join(f"{quoted(c)} IS NOT NULL" for c in columns)
        return int(self._row(f"SELECT count(*) FROM {self.whole} WHERE {there}")[0])

    def codes(self, columns: Sequence[str], limit: int) -> Sequence[tuple[int | None, ...]]:
        """Some rows as numbers."""
        if not columns:
            return []
        names = ", ".join(f"CASE WHEN {quoted(c)} IS NULL THEN NULL ELSE hash({quoted(c)}) END" for c in columns)
        source = f"(SELECT * FROM {self.some} USING SAMPLE reservoir({limit} ROWS) REPEATABLE ({SEED}))"
        return self._scope.cursor.execute(f"SELECT {names} FROM {source if limit < self._looked_at else self.some}").fetchall()

    def values(self, column: str, limit: int) -> Sequence[str]:
        """Some different values as texts."""
        name = quoted(column)
        some = f"SELECT {name} FROM {self.some} WHERE {name} IS NOT NULL LIMIT {limit * 20}"
        sql = f"SELECT DISTINCT CAST({name} AS VARCHAR) FROM ({some}) LIMIT {limit}"
        return [str(r[0]) for r in self._scope.cursor.execute(sql).fetchall()]

    def _facts(self, name: str, told: Mapping[str, Any], far: tuple[int, str] | None) -> ColumnFacts:
        column, kind = quoted(name), self._types[name]
        grouped = f"SELECT {column} AS v, count(*) AS n FROM {self.some} WHERE {column} IS NOT NULL GROUP BY 1"
        distinct, once, least = self._row(f"SELECT count(*), count(*) FILTER (WHERE n = 1), coalesce(min(n), 0) FROM ({grouped})")
        top = f"SELECT CAST(v AS VARCHAR), n FROM ({grouped}) ORDER BY n DESC, v LIMIT {TOP}"
        counts = self._scope.cursor.execute(top).fetchall()
        patterns = self._patterns(column) if kind == "VARCHAR" and distinct else ()
        return ColumnFacts(
            name,
            kind,
            self._looked_at,
            self._looked_at - int(told["present"]),
            int(distinct),
            int(once),
            int(least),
            told.get("low"),
            told.get("high"),
            told.get("mean"),
            tuple(float(q) for q in told.get("quantiles") or ()),
            told.get("lengths"),
            tuple((str(v), int(n)) for v, n in counts),
            patterns,
            far,
            int(told.get("padded") or 0),
        )

    def _patterns(self, column: str) -> tuple[tuple[str, int], ...]:
        """The forms of texts: letters of any script as `A` and `a`, digits as `9`; long runs as one with a plus."""
        mask = column
        for letters, letter in ((r"\p{Lu}", "A"), (r"[\p{Ll}\p{Lm}\p{Lo}\p{Lt}\p{M}]", "a"), (r"\p{N}", "9")):
            mask = f"regexp_replace({mask}, '{letters}', '{letter}', 'g')"
        for letter in "Aa9":
            mask = f"regexp_replace({mask}, '{letter}{{5,}}', '{letter}+', 'g')"
        some = f"(SELECT {mask} AS m FROM {self.some} WHERE {column} IS NOT NULL LIMIT {MASKED})"
        found = self._scope.cursor.execute(f"SELECT m, count(*) AS n FROM {some} GROUP BY 1 ORDER BY n DESC, m LIMIT 5").fetchall()
        return tuple((str(m)[:60], int(n)) for m, n in found)

    def _far(self, quantiles: Mapping[str, Sequence[float]]) -> dict[str, tuple[int, str]]:
        """Values beyond three quartile ranges from the quartiles; nothing where half of the values are the same."""
        parts, names = [], []
        for name, (_, low, middle, high, _) in quantiles.items():
            reach = 3 * (high - low)
            if reach <= 0:
                continue
            column = f"CAST({quoted(name)} AS DOUBLE)"
            out = f"({column} < {low - reach!r} OR {column} > {high + reach!r})"
            parts += [
                f"count(*) FILTER (WHERE {out})",
                f"max_by(CAST({quoted(name)} AS VARCHAR), abs({column} - {middle!r})) FILTER (WHERE {out})",
            ]
            names.append(name)
        if not parts:
            return {}
        row = self._row(f"SELECT {', '.join(parts)} FROM {self.some}")
        return {n: (int(row[2 * i]), str(row[2 * i + 1])) for i, n in enumerate(names) if row[2 * i]}

    def _row(self, sql: str) -> tuple[Any, ...]:
        found: tuple[Any, ...] | None = self._scope.cursor.execute(sql).fetchone()
        return found or ()


class _Shape:
    """The aggregates of one column, and what their values mean."""

    def __init__(self, name: str, kind: str) -> None:
        self.column = quoted(name)
        single = not kind.endswith("]")
        self.numeric = single and (kind in {"DOUBLE", "FLOAT", "INTEGER"} or kind.startswith("DECIMAL") or kind.endswith("INT"))
        self.ordered = self.numeric or (single and kind.startswith(("DATE", "TIME"))) or kind == "VARCHAR"
        self.text = kind == "VARCHAR"

    def parts(self) -> list[str]:
        column = self.column
        found = [f"count({column})"]
        if self.ordered:
            found += [f"CAST(min({column}) AS VARCHAR)", f"CAST(max({column}) AS VARCHAR)"]
        if self.numeric:
            finite = f"FILTER (WHERE isfinite(CAST({column} AS DOUBLE)))"
            found += [f"avg({column}) {finite}", f"quantile_cont(CAST({column} AS DOUBLE), {QUANTILES}) {finite}"]
        if self.text:
            found += [f"min(length({column}))", f"max(length({column}))", f"count(*) FILTER (WHERE {column} <> trim({column}))"]
        return found

    def read(self, row: Any) -> dict[str, Any]:  # noqa: ANN401 - an iterator of what the database gives
        told: dict[str, Any] = {"present": next(row)}
        if self.ordered:
            told["low"], told["high"] = next(row), next(row)
        if self.numeric:
            mean = next(row)
            told["mean"], told["quantiles"] = None if mean is None else float(mean), next(row)
        if self.text:
            shortest, longest = next(row), next(row)
            told["lengths"] = None if shortest is None else (int(shortest), int(longest))
            told["padded"] = next(row)
        return told


class DuckdbTables:
    """See `undercurrents.management.profiling.port.Database`."""

    def __init__(self, scope: Scope, tables: Mapping[str, DuckdbRows]) -> None:
        self._scope = scope
        self._tables = tables

    def contained(self, left: tuple[str, Sequence[str]], right: tuple[str, Sequence[str]]) -> Contained:
        """How rows find their partners."""
        names = [quoted(c) for c in left[1]]
        there = " AND ".join(f"{n} IS NOT NULL" for n in names)
        keys = ", ".join(f"{n} AS k{i}" for i, n in enumerate(names))
        own = f"SELECT {keys}, count(*) AS n FROM {self._tables[left[0]].whole} WHERE {there} GROUP BY ALL"
        partners = ", ".join(f"{quoted(c)} AS k{i}" for i, c in enumerate(right[1]))
        others = f"SELECT DISTINCT {partners} FROM {self._tables[right[0]].whole}"
        on = " AND ".join(f"l.k{i} = r.k{i}" for i in range(len(names)))
        shown = " || ', ' || ".join(f"CAST(k{i} AS VARCHAR)" for i in range(len(names)))
        joined = f"SELECT l.*, r.k0 IS NULL AS lost FROM ({own}) AS l LEFT JOIN ({others}) AS r ON {on}"
        sql = (
            f"SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (WHERE lost), 0), count(*) FILTER (WHERE lost), "
            f"max_by({shown}, n, 5) FILTER (WHERE lost) FROM ({joined})"
        )
        row = self._scope.cursor.execute(sql).fetchone() or (0, 0, 0, None)
        return Contained(int(row[0]), int(row[1]), int(row[2]), tuple(str(v) for v in row[3] or ()))


def _field(name: str, candidate: Candidate) -> Field:
    return Field(name, name, candidate.type, strptime(candidate.format) if candidate.format else None)


def _without(name: str, words: Sequence[str]) -> str:
    """A text, or NULL where it is empty or one of some words."""
    known = ", ".join(literal(w) for w in ["", *words])
    return f"(CASE WHEN {quoted(name)} IN ({known}) THEN NULL ELSE {quoted(name)} END)"
