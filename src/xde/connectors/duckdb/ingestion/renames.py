"""Columns that may have got another name: a new one beside a missing one, held against what the table has, by name and by content."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

import duckdb

from xde.connectors.duckdb.ingestion.casts import INTEGERS, TEXTS, cast, nested
from xde.connectors.duckdb.ingestion.documents import parquet_texts, sheet_rows
from xde.connectors.duckdb.ingestion.treating import give_keys, kept_values
from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.ground.names import listed, literal, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from xde.connectors.duckdb.ingestion.csv_files import Opened
    from xde.lifecycle.ingestion.port import Field, LoadJob
    from xde.lifecycle.sources.port import FoundFile

RECORDS = 50_000  # from the beginning of a file
SAMPLED = 1_000  # values of a column
ROWS = 2_000_000  # of the table
FEW = 10  # with fewer different values columns are alike by chance
FITS = 0.98  # of the values must be of the type
NEAR = 0.6
ENOUGH = 0.5
NUMBERS = INTEGERS | {"DOUBLE", "FLOAT", "REAL", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}


@dataclass(frozen=True, slots=True)
class Offer:
    """A new column that may be a missing field: how many of its values were looked at, and the share of them that the table knows.

    `alike` is how near the distributions are, `near` how near the names (both 0 to 1).
    """

    new: str
    field: Field
    sampled: int
    shared: float
    alike: float
    near: float
    alone: bool = False  # one column is new, and one is missing

    @property
    def weight(self) -> float:
        """What speaks for it."""
        return (0.5 * self.shared + 0.5 * self.alike if self.sampled >= FEW else 0.0) + 0.3 * self.near

    @property
    def is_worth(self) -> bool:
        """Whether it is told."""
        by_content = self.sampled >= FEW and (self.shared >= ENOUGH or self.alike >= 1 - ENOUGH / 2)
        by_few = self._is_text and self.sampled > 1 and self.shared == 1.0 and self.alike >= 0.8
        by_name = self.near >= NEAR and (self.sampled < FEW or self.shared + self.alike > ENOUGH)
        return by_content or by_few or by_name or self._is_only_one

    @property
    def _is_text(self) -> bool:
        return self.field.type.strip().upper() in TEXTS

    @property
    def _is_only_one(self) -> bool:
        """Whether nothing else can be meant: few columns hold times, and few values of others are the same by chance."""
        timed = self.field.type.strip().upper().startswith(("DATE", "TIME"))
        return self.alone and self.sampled > 0 and (timed or (self.shared >= ENOUGH and not self._is_text))

    @property
    def told(self) -> str:
        """The evidence, without a value."""
        found = f"`{self.new}` may be what was `{self.field.source_name}`: "
        if not self.sampled:
            return f"{found}the names are alike"
        if self.shared >= ENOUGH:
            values = "values are" if self.sampled > 1 else "value is"
            return f"{found}{_percent(self.shared)} of {self.sampled:,} sampled {values} known in `{self.field.name}`"
        if self.alike >= 1 - ENOUGH / 2:
            return f"{found}its values are spread as those of `{self.field.name}`"
        why = "the names are alike" if self.near >= NEAR else "nothing else is missing or new"
        return f"{found}{why}, and its values are of the same type"


def offers(cursor: duckdb.DuckDBPyConnection, job: LoadJob, missing: Sequence[Field], sample: str, new: Mapping[str, str]) -> list[Offer]:
    """What new columns may be, the best first and each column once. `sample` is a query of some records, `new` has the SQL of its texts."""
    if job.private:
        give_keys(cursor, job)
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE offered AS SELECT * FROM ({sample}) LIMIT {RECORDS}")
    alone = len(missing) == len(new) == 1
    pairs = [o for f in missing for n, text in new.items() if (o := _weighed(cursor, job, f, n, text)) is not None]
    return _each_once(o for o in (replace(o, alone=alone) for o in pairs) if o.is_worth)


def _each_once(found: Iterable[Offer]) -> list[Offer]:
    chosen: list[Offer] = []
    for offer in sorted(found, key=lambda o: -o.weight):
        if all(offer.new != c.new and offer.field.name != c.field.name for c in chosen):
            chosen.append(offer)
    return chosen


def by_name(missing: Sequence[Field], new: Iterable[str]) -> list[Offer]:
    """What new columns may be by their names alone."""
    found = (Offer(n, f, 0, 0.0, 0.0, _near(n, f)) for f in missing for n in new)
    return _each_once(o for o in found if o.near >= NEAR)


@contextmanager
def if_readable() -> Iterator[None]:
    """Nothing is offered of a file that cannot be read: what is wrong with it is told by who loads it."""
    try:
        yield
    except duckdb.InterruptException:
        raise
    except (UserError, duckdb.Error):
        return


def of_csv(cursor: duckdb.DuckDBPyConnection, job: LoadJob, opened: Opened) -> list[Offer]:
    """The offers of a CSV file."""
    missing, new = unmatched(job, opened.head.columns)
    if not missing or not new or not opened.columns:
        return []
    texts = {n: quoted(opened.columns[opened.head.columns.index(n)]) for n in new}
    found: list[Offer] = []

    def read(relation: str) -> None:
        found.extend(offers(cursor, job, missing, f"FROM {relation}", texts))

    opened.file.reader(cursor, job.dialect, opened.columns, read)
    opened.file.refused.clear()
    return found


def of_parquet(cursor: duckdb.DuckDBPyConnection, job: LoadJob, found: FoundFile) -> list[Offer]:
    """The offers of a Parquet file."""
    texts = parquet_texts(cursor, found)
    missing, new = unmatched(job, list(texts))
    if not missing or not new:
        return []
    return offers(cursor, job, missing, f"FROM read_parquet({literal(found.location)})", {n: texts[n] for n in new})


def of_sheet(cursor: duckdb.DuckDBPyConnection, job: LoadJob, found: FoundFile) -> list[Offer]:
    """The offers of a worksheet."""
    import pyarrow as pa

    header, rows = sheet_rows(found, job.dialect)
    missing, new = unmatched(job, header)
    if not missing or not new:
        return []
    below = [row for _, row in rows[:RECORDS]]
    cursor.register("sheet", pa.table({n: pa.array([r[header.index(n)] for r in below], pa.string()) for n in new}))
    return offers(cursor, job, missing, "FROM sheet", {n: quoted(n) for n in new})


def unmatched(job: LoadJob, given: Sequence[str]) -> tuple[list[Field], list[str]]:
    """The fields that a file lacks, and the columns that the contract does not know."""
    evolved, known = {c.name for c in job.evolved}, {n for f in job.fields for n in f.names}
    missing = [f for f in job.fields if f.name not in evolved and not set(f.names) & set(given) and f.kept_type is not None]
    return missing, list(dict.fromkeys(n for n in given if n not in known))


def offered(error: UserError, found: Sequence[Offer]) -> UserError:
    """The refusal of a file, with what may have got another name."""
    if not found:
        return error
    first, *rest = error.findings
    why = "; ".join([*([first.why] if first.why else []), *(o.told for o in found)])
    return UserError(replace(first, why=why, hint=_words(found)), *rest)


def noticed(job: LoadJob, path: str, found: Sequence[Offer]) -> tuple[Finding, ...]:
    """What is told of a file that was loaded and lacks a column that may be there under another name."""
    if not found:
        return ()
    names = listed([f"`{o.field.source_name}`" for o in found])
    message = f"`{path}` has nothing for {names} of `{job.dataset}`, and may have it under another name"
    why = "; ".join(o.told for o in found)
    return (Finding("XDE0345", message, why=why, hint=_words(found), severity=Severity.WARNING),)


def _words(found: Sequence[Offer]) -> str:
    said = [f"`{{property: xdeAlsoNamed, value: [{o.new}]}}` into `customProperties` of `{o.field.name}`" for o in found]
    return f"if so, write {listed(said)}; rows from before stay as they are"


def _near(new: str, field: Field) -> float:
    return max(SequenceMatcher(None, new.casefold(), n.casefold()).ratio() for n in {field.name, *field.names})


def _weighed(cursor: duckdb.DuckDBPyConnection, job: LoadJob, field: Field, new: str, text: str) -> Offer | None:
    """One pair held together; none where the values are not of the type, or cannot be compared."""
    near = _near(new, field)
    if nested(field) or (field.treatment is not None and field.treatment.kind not in {"hash", "cast"}):
        return Offer(new, field, 0, 0.0, 0.0, near)
    how = cast(field, "t", job.dialect.decimal)
    words = ", ".join(literal(n) for n in ("", *job.dialect.nulls, *field.nulls))
    texts = f"SELECT t FROM (SELECT {text} AS t FROM offered) WHERE t NOT IN ({words})"
    values = f"SELECT {quoted(field.name)}, {how.wrong} AS wrong FROM (SELECT t, {how.value} AS {quoted(field.name)} FROM ({texts}))"
    every = f"SELECT {kept_values(job)[field.name]} AS v, wrong FROM ({values})"
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE given AS {every}")
    count, wrong = cursor.execute("SELECT count(*), count(*) FILTER (wrong) FROM given").fetchall()[0]
    if not count or wrong > (1 - FITS) * count:
        return None
    if not job.table:
        return Offer(new, field, 0, 0.0, 0.0, near)
    files = ", ".join(literal(p) for p in job.table)
    column = f"SELECT {quoted(field.name)} AS v FROM read_parquet([{files}], union_by_name = true)"
    there = f"SELECT v FROM ({column}) WHERE v IS NOT NULL LIMIT {ROWS}"
    try:
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE there AS {there}")
        few = f"SELECT v FROM (SELECT DISTINCT v FROM given WHERE v IS NOT NULL) ORDER BY hash(v) LIMIT {SAMPLED}"
        query = f"WITH few AS MATERIALIZED ({few}) SELECT (SELECT count(*) FROM few), (SELECT count(*) FROM few SEMI JOIN there USING (v))"
        sampled, shared = cursor.execute(query).fetchall()[0]
        alike = _alike(cursor, (field.kept_type or field.type).strip().upper())
    except (duckdb.BinderException, duckdb.ConversionException):  # the table has the column in a type that cannot be compared
        return Offer(new, field, 0, 0.0, 0.0, near)
    return Offer(new, field, int(sampled), shared / sampled if sampled else 0.0, alike, near)


def _alike(cursor: duckdb.DuckDBPyConnection, kind: str) -> float:
    """How near two distributions are, 0 to 1: of numbers by their quantiles (1 less the distance of Kolmogorov and Smirnov), else by what
    they have in common of each value's share.
    """
    if kind in NUMBERS or kind.startswith("DECIMAL"):
        steps = ", ".join(str(n / 20) for n in range(1, 20))
        marks = f"(SELECT unnest(quantile_disc(v, [{steps}])) AS m FROM there)"
        below = "(SELECT count(*) FILTER (v <= m) / greatest(count(*), 1) FROM {})"
        query = f"SELECT max(abs({below.format('given')} - {below.format('there')})) FROM {marks} AS marks"
        distance = cursor.execute(query).fetchall()[0][0]
        return 1.0 - float(distance if distance is not None else 1.0)
    share = "(SELECT v, count(*) / sum(count(*)) OVER () AS p FROM {} WHERE v IS NOT NULL GROUP BY v)"
    common = f"SELECT coalesce(sum(least(a.p, b.p)), 0) FROM {share.format('given')} AS a JOIN {share.format('there')} AS b USING (v)"
    return float(cursor.execute(common).fetchall()[0][0])


def _percent(share: float) -> str:
    return f"{int(share * 100)} %"
