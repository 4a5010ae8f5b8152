"""Makes the projects and files that the budgets are measured on: the same ones for the same seed, whatever the machine."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

LINEITEM = (
    ("l_orderkey", "BIGINT", "integer"),
    ("l_partkey", "BIGINT", "integer"),
    ("l_suppkey", "BIGINT", "integer"),
    ("l_linenumber", "INTEGER", "integer"),
    ("l_quantity", "DECIMAL(15,2)", "number"),
    ("l_extendedprice", "DECIMAL(15,2)", "number"),
    ("l_discount", "DECIMAL(15,2)", "number"),
    ("l_tax", "DECIMAL(15,2)", "number"),
    ("l_returnflag", "VARCHAR", "string"),
    ("l_linestatus", "VARCHAR", "string"),
    ("l_shipdate", "DATE", "date"),
    ("l_commitdate", "DATE", "date"),
    ("l_receiptdate", "DATE", "date"),
    ("l_shipinstruct", "VARCHAR", "string"),
    ("l_shipmode", "VARCHAR", "string"),
    ("l_comment", "VARCHAR", "string"),
)

# The rules of the contract, twenty of them with the eight required columns: what a careful team would say of such a table.
OPTIONS = {
    "l_orderkey": "minimum: 1",
    "l_partkey": "minimum: 1",
    "l_suppkey": "minimum: 1",
    "l_linenumber": "minimum: 1, maximum: 7",
    "l_quantity": "minimum: 1, maximum: 50",
    "l_extendedprice": "exclusiveMinimum: 0",
    "l_discount": "minimum: 0, maximum: 0.1",
    "l_tax": "minimum: 0, maximum: 0.08",
    "l_linestatus": 'pattern: "^[OF]$"',
    "l_comment": "maxLength: 44",
}
REQUIRED = {"l_orderkey", "l_partkey", "l_suppkey", "l_linenumber", "l_quantity", "l_extendedprice", "l_returnflag", "l_shipdate"}
VALUES = {"l_returnflag": "A, N, R", "l_shipmode": "AIR, MAIL, SHIP, RAIL, TRUCK, FOB, REG AIR"}


def lineitem_query(rows: int, seed: int) -> str:
    """Rows in the likeness of TPC-H's lineitem; each value comes from a hash of the seed, its column and its row."""

    def pick(column: int, low: int, high: int) -> str:
        return f"({low} + (hash({seed}, {column}, i) % {high - low + 1})::BIGINT)"

    words = "string_split('furiously carefully quickly slyly ironic final pending bold requests deposits accounts packages', ' ')"

    def word(column: int) -> str:
        return f"{words}[{pick(column, 1, 12)}]"

    return f"""
        SELECT
            1 + i // 4 AS l_orderkey,
            {pick(1, 1, 200_000)} AS l_partkey,
            {pick(2, 1, 10_000)} AS l_suppkey,
            (1 + i % 4)::INTEGER AS l_linenumber,
            {pick(3, 1, 50)}::DECIMAL(15,2) AS l_quantity,
            ({pick(4, 90_000, 10_000_000)} / 100)::DECIMAL(15,2) AS l_extendedprice,
            ({pick(5, 0, 10)} / 100)::DECIMAL(15,2) AS l_discount,
            ({pick(6, 0, 8)} / 100)::DECIMAL(15,2) AS l_tax,
            ['A', 'N', 'R'][{pick(7, 1, 3)}] AS l_returnflag,
            ['O', 'F'][{pick(8, 1, 2)}] AS l_linestatus,
            DATE '1992-01-02' + {pick(9, 0, 2400)}::INTEGER AS l_shipdate,
            DATE '1992-01-02' + {pick(10, 0, 2400)}::INTEGER AS l_commitdate,
            DATE '1992-01-03' + {pick(11, 0, 2430)}::INTEGER AS l_receiptdate,
            ['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'][{pick(12, 1, 4)}] AS l_shipinstruct,
            ['AIR', 'MAIL', 'SHIP', 'RAIL', 'TRUCK', 'FOB', 'REG AIR'][{pick(13, 1, 7)}] AS l_shipmode,
            concat_ws(' ', {word(14)}, {word(15)}, {word(16)}) AS l_comment
        FROM range({rows}) AS r(i)
    """


def lineitem_parquet(path: Path, rows: int, seed: int) -> None:
    """Clean rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({lineitem_query(rows, seed)}) TO '{path}' (FORMAT parquet)")


COMPARED = ("customer", "day", "amount", "score", "status", "state", "seen", "flag", "note")


def two_tables(root: Path, rows: int) -> None:
    """`old.parquet` and `new.parquet` of ten columns: one row in a thousand changed, a few removed and added."""
    root.mkdir(parents=True)
    old, new = root / "old.parquet", root / "new.parquet"
    form = "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)"
    changes = "CASE WHEN id % 1000 = 3 THEN score + 1 ELSE score END AS score, CASE WHEN id % 5000 = 4 THEN NULL ELSE state END AS state"
    with duckdb.connect() as connection:
        connection.execute(f"""
            COPY (
                SELECT
                    i AS id, 'cust-' || (i * 7919 % 100000) AS customer, DATE '2020-01-01' + (i % 1000)::INTEGER AS day,
                    ((i % 100000) / 100)::DECIMAL(10, 2) AS amount, i * 0.37::DOUBLE AS score, i % 7 AS status,
                    ['open', 'paid', 'lost'][1 + i % 3] AS state, TIMESTAMP '2020-01-01' + to_seconds(i) AS seen, i % 2 = 0 AS flag,
                    'note ' || (i * 31) AS note
                FROM range({rows}) AS t(i)
            ) TO '{old}' {form}""")
        connection.execute(f"""
            COPY (
                SELECT * REPLACE ({changes}) FROM '{old}' WHERE id % 100003 <> 0
                UNION ALL SELECT * REPLACE (id + {rows} AS id) FROM '{old}' WHERE id < 777
            ) TO '{new}' {form}""")


def lineitem_text(path: Path, rows: int, seed: int) -> None:
    """The rows as CSV or NDJSON, by the name; one in a hundred is bad: a word for a number, no real day, or a quantity out of range."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.suffix == ".ndjson"
    form, kind = ("(FORMAT json)", "JSON") if lines else ("(HEADER, DELIMITER ',')", "VARCHAR")
    spoilt = {"l_partkey": (0, '"unknown"'), "l_shipdate": (100, '"1995-02-30"'), "l_quantity": (200, "51.00")}

    def column(name: str) -> str:
        if name not in spoilt:
            return name
        bad, value = spoilt[name]
        own = f"to_json({name})" if lines else f"{name}::VARCHAR"
        return f"CASE WHEN bad = {bad} THEN '{value if lines else value.strip(chr(34))}'::{kind} ELSE {own} END AS {name}"

    columns = ", ".join(column(name) for name, _, _ in LINEITEM)
    drawn = f"SELECT *, (hash({seed}, l_orderkey, l_linenumber) % 300)::INTEGER AS bad FROM ({lineitem_query(rows, seed)})"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {columns} FROM ({drawn})) TO '{path}' {form}")


def properties() -> list[str]:
    """The columns of lineitem for a contract, with its rules."""
    lines = []
    for name, physical, logical in LINEITEM:
        lines += [f"      - name: {name}", f"        logicalType: {logical}", f'        physicalType: "{physical}"']
        if name in REQUIRED:
            lines.append("        required: true")
        if name in OPTIONS:
            lines.append(f"        logicalTypeOptions: {{{OPTIONS[name]}}}")
        if name in VALUES:
            rule = f"{{id: {name}_valid, metric: invalidValues, arguments: {{validValues: [{VALUES[name]}]}}, mustBe: 0}}"
            lines += ["        quality:", f"          - {rule}"]
    return lines


def contract(name: str, tables: dict[str, list[str]], server: str | None = None) -> str:
    """A contract of these tables, each with the lines that follow its name."""
    lines = ["apiVersion: v3.1.0", "kind: DataContract", f"id: {name}", f"name: {name}", "version: 1.0.0", "status: active"]
    if server:
        lines += ["servers:", f"  - {{server: files, type: local, path: data, format: {server}}}"]
    lines.append("schema:")
    for table, rest in tables.items():
        lines += [f"  - name: {table}", *rest]
    return "\n".join(lines) + "\n"


def lineitem_project(root: Path, data_format: str, rows: int, seed: int) -> None:
    """A project with one source, `tpch.lineitem`, of CSV or NDJSON with bad rows or of clean Parquet."""
    (root / "sources").mkdir(parents=True)
    (root / "models").mkdir()
    (root / "xde.yaml").write_text("name: lineitem\n", encoding="utf-8")
    head = [f'    physicalName: "lineitem.{data_format}"', "    physicalType: file"]
    if data_format != "parquet":
        lineitem_text(root / f"data/lineitem.{data_format}", rows, seed)
        head += ["    customProperties:", "      - {property: xdeDeadLetter, value: {mode: quarantine, maxRejectedPercent: 2}}"]
    else:
        lineitem_parquet(root / "data/lineitem.parquet", rows, seed)
    tables = {"lineitem": [*head, "    properties:", *properties()]}
    (root / "sources/tpch.yaml").write_text(contract("tpch", tables, data_format), encoding="utf-8")


PRICED = """SELECT
    l.*,
    l_extendedprice * (1 - l_discount) AS net_price,
    l_extendedprice * (1 - l_discount) * (1 + l_tax) AS charge,
    date_diff('day', l_shipdate, l_receiptdate) AS days_on_the_way
FROM tpch.lineitem AS l
WHERE l_quantity > 1
"""


def model_sql(number: int, names: list[str], random_numbers: random.Random) -> str:
    """A model of the usual kind: joins, a window, grouping, over one to three of the datasets before it."""
    first, *others = random_numbers.sample(names, min(len(names), random_numbers.randint(1, 3)))
    joins = "".join(f"\n    LEFT JOIN {other} AS j{n} ON j{n}.id = a.id" for n, other in enumerate(others))
    extra = "".join(f" + coalesce(j{n}.amount, 0)" for n in range(len(others)))
    return f"""/* xde
kind: table
description: Model {number}
*/
WITH joined AS (
    SELECT
        a.id,
        a.name,
        a.happened_on,
        a.amount{extra} AS amount
    FROM {first} AS a{joins}
),

ranked AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY name ORDER BY happened_on, id) AS place
    FROM joined
)

SELECT
    id,
    upper(name) AS name,
    max(happened_on) AS happened_on,
    sum(amount) / {number + 2} AS amount,
    count(*) FILTER (WHERE place <= 10) AS firsts
FROM ranked
GROUP BY id, name
"""


COLUMNS = (("id", "BIGINT", "integer"), ("name", "VARCHAR", "string"), ("happened_on", "DATE", "date"), ("amount", "DOUBLE", "number"))


def graph_sources(root: Path, rows: int, seed: int) -> None:
    """Ten sources of CSV and their contract."""
    described = [
        line
        for n, p, k in COLUMNS
        for line in (f"      - name: {n}", f"        logicalType: {k}", f"        physicalType: {p}", "        required: true")
    ]
    tables = {}
    with duckdb.connect() as connection:
        for number in range(10):
            tables[f"t{number}"] = [f"    physicalName: t{number}.csv", "    physicalType: file", "    properties:", *described]
            amount = f"(hash({seed}, {number}, i) % 10000)::DOUBLE / 100"
            day = "DATE '2020-01-01' + (i % 365)::INTEGER"
            query = f"SELECT i AS id, 'name ' || (i % 97) AS name, {day} AS happened_on, {amount} AS amount FROM range({rows}) AS r(i)"
            connection.execute(f"COPY ({query}) TO '{root}/data/t{number}.csv' (HEADER)")
    (root / "sources/raw.yaml").write_text(contract("raw", tables, "csv"), encoding="utf-8")


def graph_project(root: Path, models: int, rows: int, seed: int) -> None:
    """A project of many models over ten small sources; one model in five has a contract."""
    random_numbers = random.Random(seed)
    for folder in ("sources", "data", "models"):
        (root / folder).mkdir(parents=True)
    (root / "xde.yaml").write_text("name: graph\n", encoding="utf-8")
    graph_sources(root, rows, seed)
    promised = [
        line
        for n, p, k in COLUMNS
        for line in (f"      - name: {n}", f"        logicalType: {k}", f"        physicalType: {p}", "        required: true")
    ]
    promised += [
        "      - name: firsts",
        "        logicalType: integer",
        "        physicalType: BIGINT",
        "        logicalTypeOptions: {minimum: 0}",
    ]
    names = [f"raw.t{n}" for n in range(10)]
    for number in range(models):
        schema = f"layer{number * 10 // models}"
        folder = root / "models" / schema
        folder.mkdir(exist_ok=True)
        (folder / f"m{number}.sql").write_text(model_sql(number, names[-40:], random_numbers), encoding="utf-8")
        if number % 5 == 0:
            text = contract(f"{schema}.m{number}", {f"m{number}": ["    properties:", *promised]})
            (folder / f"m{number}.yaml").write_text(text, encoding="utf-8")
        names.append(f"{schema}.m{number}")


LARGE = """/* xde
kind: table
*/
SELECT
    i AS id,
    (hash({seed}, 1, i) % 20000000)::BIGINT AS customer,
    TIMESTAMP '2020-01-01' + to_seconds((hash({seed}, 2, i) % 157680000)::BIGINT) AS happened_at,
    ((hash({seed}, 3, i) % 1000000)::BIGINT / 100)::DECIMAL(12, 2) AS amount,
    'order ' || (hash({seed}, 4, i) % 1000000) AS note
FROM range({rows}) AS r(i)
"""

RANKED = """/* xde
kind: table
*/
SELECT
    id,
    customer,
    amount,
    row_number() OVER (PARTITION BY customer ORDER BY happened_at, id) AS nth,
    sum(amount) OVER (PARTITION BY customer ORDER BY happened_at, id) AS so_far
FROM big.events
"""


def large_project(root: Path, rows: int, seed: int, memory: str) -> None:
    """A model of many rows with a key and checks, and one over it that needs all of them at once, within a limit of memory."""
    (root / "models/big").mkdir(parents=True)
    (root / "xde.yaml").write_text(f"name: large\nengine: {{name: duckdb, memory_limit: {memory}}}\n", encoding="utf-8")
    (root / "models/big/events.sql").write_text(LARGE.format(seed=seed, rows=rows), encoding="utf-8")
    (root / "models/big/ranked.sql").write_text(RANKED, encoding="utf-8")
    key = ["        required: true", "        primaryKey: true", "        logicalTypeOptions: {minimum: 0}"]
    columns = (
        ("id", "BIGINT", "integer", key),
        ("customer", "BIGINT", "integer", key[:1]),
        ("amount", '"DECIMAL(12,2)"', "number", key[:1]),
    )
    lines = [
        line
        for name, physical, kind, more in columns
        for line in (f"      - name: {name}", f"        logicalType: {kind}", f"        physicalType: {physical}", *more)
    ]
    (root / "models/big/events.yaml").write_text(contract("events", {"events": ["    properties:", *lines]}), encoding="utf-8")
