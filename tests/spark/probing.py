"""Asks both engines the same: probes over a small table of nasty values, many in one query, halved where one fails."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from xde.connectors.duckdb.session import DuckdbSession
from xde.connectors.duckdb.transformation import DuckdbEngine
from xde.connectors.spark.session import Sparked
from xde.connectors.spark.transformation import SparkEngine
from xde.ground.errors import XdeError
from xde.kernel.project.settings import EngineSettings
from xde.lifecycle.storage.port import Column
from xde.lifecycle.transformation.port import Input, Query

HERE = Path(__file__).parent
PARAMETERS = {"limit": 3, "word": "w", "day": date(2020, 2, 29), "rate": 0.25}


LAB = """
CREATE TABLE facts (id INTEGER, g VARCHAR, i INTEGER, s SMALLINT, ti TINYINT, b BIGINT, d DOUBLE, d2 DOUBLE, f FLOAT, n DECIMAL(10,2),
 n4 DECIMAL(18,4), bo BOOLEAN, x VARCHAR, y VARCHAR, nx VARCHAR, fx VARCHAR, bx VARCHAR, dt DATE, dt2 DATE, dtx VARCHAR, ts TIMESTAMP, ts2 TIMESTAMP,
 tsx VARCHAR, tz TIMESTAMPTZ, z VARCHAR, l INTEGER[], lx VARCHAR[], st STRUCT(a INTEGER, b VARCHAR));
INSERT INTO facts VALUES
(1,'a',1,1,1,10,1.5,0.285,1.5,1.25,1.2345,true,'abc','b','12','1.5','true','2020-02-29','2020-03-01','2020-02-29','2020-02-29 12:30:45','2020-03-01 00:00:00','2020-02-29 12:30:45','2020-02-29 12:30:45+00','Europe/Berlin',[1,2,3],['a','b'],{a:1,b:'q'}),
(2,'a',-7,2,-3,-10,-0.0,1.005,0.1,-1.25,-0.0050,false,'Straße','STRASSE','-3','-2.5','f','1969-12-31','1970-01-01',' 2020-03-05 ','1969-12-31 22:30:00','1970-01-01 01:10:00','1969-12-31 23:59:59.123456','1969-12-31 23:30:00+00','America/New_York',[],[],{a:NULL,b:'q'}),
(3,'b',7,-3,100,3000000000,'nan',2.675,-2.5,0.00,99.9999,NULL,'  über o ','über','+7','1e3','YES','2000-01-01','1999-12-31','2020-3-5','2013-11-03 01:30:00','2013-11-03 05:30:00','2020-02-29','2013-11-03 05:30:00+00','America/New_York',[3,NULL,5],['x',NULL,'z'],NULL),
(4,'b',0,0,0,0,'inf',2.5,3.5,99999.99,0.5000,true,'','x','0','.5','0','2024-02-29','2023-02-28','1999-12-31','2013-03-10 02:30:00','2013-03-10 12:00:00','2013-03-10 02:30:00.5','2013-03-10 07:30:00+00','Europe/Berlin',NULL,NULL,{a:4,b:NULL}),
(5,'b',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL),
(6,'c',42,7,7,-3000000000,'-inf',-0.5,0.5,-99.95,-7.7777,false,'a b  c','a b','007','00.10','no','2021-03-14','2020-01-31','2021-03-14','2021-03-28 02:30:00','2021-03-14 02:30:00','2021-03-28 02:30:00','2021-03-28 00:59:59.999999+00','Europe/Berlin',[7],['q q'],{a:6,b:'r'}),
(7,'c',2,2,2,2,123456.789,-2.5,0.3,0.55,12345678.9012,true,'50%','50!%',' 5 ','12.345','n','1900-01-01','2100-12-31','1900-01-01','1900-01-01 00:00:00','2099-12-31 23:59:59.999999','1900-01-01 00:00:00','2021-10-31 00:30:00+00','Australia/Lord_Howe',[1,1],['b'],{a:7,b:'q'}),
(8,'c',7,-3,-100,9,0.1,0.285,2.5,12.35,1.2350,false,'Ärger ΑΣ İ ŉ','ärger','2147483647','99.995','Y','2020-12-31','2021-01-01','2020-12-31','2020-12-31 23:59:59.5','2021-01-01 00:00:00.25','2020-12-31 23:59:59','2021-10-31 01:30:00+00','Europe/Berlin',[-1,0,1],['','b'],{a:8,b:'s'}),
(9,NULL,100,30,3,11,-1.5,1e-7,-0.1,-0.05,-0.0001,true,'line one' || chr(10) || 'two','a.c','3','-0.0','t','2015-06-30','2015-07-01','2015-06-30','2015-06-30 00:00:00.000001','2015-06-29 23:59:59','2015-06-30 10:00:00','2015-06-30 12:00:00+00','UTC',[2],['b','b'],{a:9,b:'q'}),
(10,'a',3,3,5,5,2.5,3.5,1e10,7.77,7.7700,NULL,'back\\slash','a|b',NULL,'123456789.125','1','2016-02-29','2017-02-28','2016-02-29','2016-02-29 06:07:08.09','2017-02-28 06:07:08.09','2016-02-29 06:07:08.09','2016-02-29 06:07:08.09+00','Asia/Kolkata',[9,8],['b','a'],{a:10,b:''}),
(11,'d',-1,-1,-1,-1,1e300,-1e10,-1e10,1.05,0.0051,false,'a' || chr(160),chr(9) || 'tab','-0','7','0','2020-01-05','2020-01-06','2020-1-5','2020-01-05 23:00:00','2020-01-06 01:00:00','2020-01-05 23:00:00','2020-01-05 23:00:00+00','Pacific/Apia',[4,4],['z'],{a:11,b:'q'}),
(12,'d',5,5,12,77,-3.75,1234.5678,7.25,100.10,100.1001,true,'日本語 a','日本','99','3','False','2020-07-31','2020-08-31','2020-07-31','2020-07-31 18:45:00','2020-08-31 18:45:00','2020-07-31 18:45:00','2020-07-31 18:45:00+00','Asia/Tokyo',[12],['日'],{a:12,b:'q'});
CREATE TABLE groups (label VARCHAR, weight INTEGER);
INSERT INTO groups VALUES ('a',1),('b',2),('b',5),('e',9),(NULL,3);
CREATE TABLE prices (label VARCHAR, seen TIMESTAMP, price DECIMAL(8,2));
INSERT INTO prices VALUES ('a','1960-01-01',1.10),('a','2020-02-29 12:30:45',2.20),('b','2013-03-10 02:30:00',3.30),('c','2021-01-01',4.40),('c',NULL,5.50),
 (NULL,'2000-01-01',6.60),('d','2020-03-01',7.70);
"""


@dataclass
class Probe:
    """One line of `probes.txt`."""

    text: str
    kind: str
    line: int
    refused: bool
    whole: bool

    def __str__(self) -> str:
        return f"{self.line}: {self.text}"


@dataclass
class Answer:
    """What came of a probe: `same`, `refused`, or what is wrong."""

    probe: Probe
    state: str
    detail: str = ""


def probes(path: Path = HERE / "probes.txt") -> list[Probe]:
    """All of a file."""
    found, kind = [], ""
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.startswith("## "):
            kind = line[3:]
        elif line and not line.startswith("# "):
            refused = line.startswith("! ")
            text = line[2:] if refused else line
            whole = text.startswith("= ")
            found.append(Probe(text[2:] if whole else text, kind, number, refused, whole))
    return found


@dataclass
class Lab:
    """Two engines over the same files."""

    folder: Path
    settings: EngineSettings
    inputs: dict[str, Input] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.duck = DuckdbEngine(DuckdbSession(EngineSettings(), self.folder))
        self.session = Sparked(self.settings, self.folder)
        self.spark = SparkEngine(self.session, self.duck)

    def add(self, sql: str, schema: str) -> None:
        """Make tables, and a Parquet file of each."""
        with duckdb.connect() as made:
            made.execute("SET TimeZone = 'UTC'")
            made.execute(sql)
            for (name,) in made.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                path = self.folder / f"{schema}.{name}.parquet"
                made.execute(f"COPY (FROM \"{name}\") TO '{path}' (FORMAT parquet)")
                columns = tuple(Column(n, t) for n, t, *_ in made.execute(f'DESCRIBE "{name}"').fetchall())
                self.inputs[f"{schema}.{name}"] = Input(columns, (str(path),))

    def close(self) -> None:
        """Stop both."""
        self.session.close()

    def query(self, probe: Probe) -> Query:
        """A probe as a query."""
        return Query(self.sql([probe]), self.parameters(probe.text))

    def sql(self, given: list[Probe]) -> str:
        """Probes of one kind as one query."""
        if given[0].whole:
            return given[0].text
        items = ", ".join(f"{p.text} AS r{i}" for i, p in enumerate(given))
        if given[0].kind == "aggregates":
            return f"SELECT g AS key, {items} FROM lab.facts GROUP BY g"
        return f"SELECT id AS key, {items} FROM lab.facts"

    def parameters(self, text: str) -> dict[str, Any]:
        """Those that a text names."""
        return {k: v for k, v in PARAMETERS.items() if f"${k}" in text}

    def both(self, query: Query) -> tuple[list[tuple[Any, ...]] | str, list[tuple[Any, ...]] | str, bool]:
        """The rows of each engine, or the words of its error; and whether the columns are of one type."""
        answers: list[list[tuple[Any, ...]] | str] = []
        schemas = []
        for engine in (self.duck, self.spark):
            try:
                table = engine.read(query, self.inputs).read_all()
            except XdeError as error:
                findings = getattr(error, "findings", ())
                answers.append("; ".join(f"{f.code} {f.message} {f.why}" for f in findings) or str(error))
            else:
                rows = list(zip(*(c.to_pylist() for c in table.columns), strict=True)) if table.num_columns else []
                answers.append([tuple(map(plain, r)) for r in rows])
                schemas.append([(f.name, kind(f.type)) for f in table.schema])
        return answers[0], answers[1], len(schemas) < 2 or schemas[0] == schemas[1]

    def ask(self, given: list[Probe]) -> list[Answer]:
        """The answers to probes of one kind that can stand in one query."""
        sql = self.sql(given)
        one, other, typed = self.both(Query(sql, self.parameters(sql)))
        if isinstance(one, list) and isinstance(other, list) and typed and same(one, other):
            return [Answer(p, "same") for p in given]
        if len(given) > 1:
            half = len(given) // 2
            return self.ask(given[:half]) + self.ask(given[half:])
        probe = given[0]
        if isinstance(one, str):
            return [
                Answer(probe, "both fail" if isinstance(other, str) else "different", f"DuckDB: {one[:200]} | Spark: {str(other)[:200]}")
            ]
        if isinstance(other, str):
            return [Answer(probe, "fails", other[:400])]
        return [Answer(probe, "different", difference(one, other) if typed else "the types of the columns")]


def kind(given: Any) -> str:
    """A type, whatever its width is called by whom."""
    text = (
        str(given).replace("tz=Etc/UTC", "tz=UTC").replace("large_", "").replace("string_view", "string").replace("binary_view", "binary")
    )
    return (
        text.replace("child", "element").replace(" not null", "").replace("item:", "element:").replace("l:", "element:").split(" field")[0]
    )


def plain(value: Any) -> Any:
    """A value that can be compared: floats to 9 figures, NaN as a word."""
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        return value if math.isinf(value) or value == 0 else float(f"{value:.9g}")
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC)
    if isinstance(value, dict):
        return tuple((k, plain(v)) for k, v in value.items())
    if isinstance(value, list):
        return tuple(plain(v) for v in value)
    return value


def same(one: list[tuple[Any, ...]], other: list[tuple[Any, ...]]) -> bool:
    """The same rows in any order."""
    return sorted(one, key=repr) == sorted(other, key=repr) and [tuple(map(type, r)) for r in sorted(one, key=repr)] == [
        tuple(map(type, r)) for r in sorted(other, key=repr)
    ]


def difference(one: list[tuple[Any, ...]], other: list[tuple[Any, ...]]) -> str:
    """The first rows that only one has."""
    a = [r for r in one if r not in other][:3]
    b = [r for r in other if r not in one][:3]
    return f"DuckDB {len(one)} rows {a} | Spark {len(other)} rows {b}"


def groups(given: list[Probe], size: int = 30) -> list[list[Probe]]:
    """Those that can be asked together."""
    found: list[list[Probe]] = []
    for probe in given:
        last = found[-1] if found else None
        joins = last and not probe.whole and not last[0].whole and last[0].kind == probe.kind and len(last) < size
        if joins:
            last.append(probe)
        else:
            found.append([probe])
    return found


def main() -> None:
    """Ask all, or those of the classes named; print what is not as written."""
    import sys
    import tempfile
    import time

    wanted = sys.argv[1:]
    chosen = [p for p in probes() if not wanted or p.kind in wanted or str(p.line) in wanted]
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(Path(folder), EngineSettings("spark", master="local[2]"))
        lab.add(LAB, "lab")
        begun = time.monotonic()
        refused, accepted = [], []
        for probe in chosen:
            told = lab.spark.refused(lab.query(probe), lab.inputs)
            (refused if told else accepted).append(probe)
            if bool(told) != probe.refused:
                print(f"{'REFUSED' if told else 'ACCEPTED'} {probe}  {told.what if told else ''}")
        print(f"{len(accepted)} accepted, {len(refused)} refused in {time.monotonic() - begun:.1f} s", flush=True)
        if "--lint" in wanted:
            return
        counts: dict[str, int] = {}
        for group in groups(accepted):
            for answer in lab.ask(group):
                counts[answer.state] = counts.get(answer.state, 0) + 1
                if answer.state != "same":
                    print(f"{answer.state.upper()} {answer.probe}\n    {answer.detail}", flush=True)
        print(counts, f"{time.monotonic() - begun:.1f} s")
        lab.close()


if __name__ == "__main__":
    main()
