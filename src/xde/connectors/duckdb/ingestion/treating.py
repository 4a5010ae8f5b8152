"""In-flight steps in SQL: what is kept of a clear value, and what may be shown of a record that was not accepted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from xde.connectors.duckdb.ingestion.casts import cast, nested
from xde.ground.names import literal, quoted
from xde.ground.secrets import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import duckdb

    from xde.lifecycle.ingestion.port import Field, LoadJob, Treatment

BLOCK = 64  # bytes that SHA-256 takes at once
STARS = literal(HIDDEN)


def give_keys(cursor: duckdb.DuckDBPyConnection, job: LoadJob) -> None:
    """Let queries of this connection hash with the job's keys: no text of a query, and so of no error, has them."""
    for reference, name in _variables(job).items():
        key = job.keys[reference]
        block = (key if len(key) <= BLOCK else _sha256(key)).ljust(BLOCK, b"\0")
        for part, pad in (("inner", 0x36), ("outer", 0x5C)):
            cursor.execute(f"SET VARIABLE {name}_{part} = ?", [bytes(b ^ pad for b in block)])


def _sha256(key: bytes) -> bytes:
    from hashlib import sha256

    return sha256(key).digest()


def _variables(job: LoadJob) -> dict[str, str]:
    references = dict.fromkeys(f.treatment.key for f in job.fields if f.treatment is not None and f.treatment.key)
    return {reference: f"xde_key_{n}" for n, reference in enumerate(references)}


def kept(job: LoadJob) -> list[str]:
    """What is kept of each field, in SQL over the clear values, under the field's name."""
    return [name if sql == (name := quoted(n)) else f"{sql} AS {name}" for n, sql in kept_values(job).items()]


def kept_values(job: LoadJob) -> dict[str, str]:
    """What is kept of each field that is kept, in SQL over the clear values."""
    variables = _variables(job)
    return {
        f.name: quoted(f.name) if f.treatment is None else _unless_treated(f, _treated(f, f.treatment, variables), job.mark)
        for f in job.fields
        if f.kept_type is not None
    }


def _unless_treated(field: Field, treated: str, mark: str) -> str:
    """What is kept of a text that was treated already is what stands behind its mark."""
    if not mark or not is_text(field) or (field.treatment is not None and field.treatment.kind == "empty"):
        return treated
    rest = f"substr({quoted(field.name)}, {len(mark) + 1})"
    if field.kept_type != "VARCHAR":
        rest = f"TRY_CAST({rest} AS {field.kept_type})"
    return f"CASE WHEN {marked([field], mark)} THEN {rest} ELSE {treated} END"


def is_text(field: Field) -> bool:
    """Whether a field's clear values are texts."""
    return field.type.strip().upper() in {"VARCHAR", "TEXT", "STRING"}


def marked(fields: Iterable[Field], mark: str) -> str:
    """Whether one of some fields has a value that was treated already, in SQL; empty where none can."""
    texts = [f for f in fields if mark and f.treatment is not None and is_text(f)]
    return " OR ".join(f"coalesce(starts_with({quoted(f.name)}, {literal(mark)}), false)" for f in texts)


def kept_texts(
    cursor: duckdb.DuckDBPyConnection, job: LoadJob, names: Sequence[str], rows: Sequence[Sequence[str | None]]
) -> list[tuple[str | None, ...]]:
    """What is kept of some values, given and told as texts."""
    import pyarrow as pa

    give_keys(cursor, job)
    by_name, values = {f.name: f for f in job.fields}, kept_values(job)
    given = pa.table({f"c{n}": pa.array([r[n] for r in rows], pa.string()) for n in range(len(names))})
    cursor.register("given_texts", given)
    typed = ", ".join(f"{cast(by_name[name], f'c{n}', job.dialect.decimal).value} AS {quoted(name)}" for n, name in enumerate(names))
    told = ", ".join(f"CAST({values[name]} AS VARCHAR)" for name in names)
    return [tuple(r) for r in cursor.execute(f"SELECT {told} FROM (SELECT {typed} FROM given_texts)").fetchall()]


def _treated(field: Field, how: Treatment, variables: Mapping[str, str]) -> str:
    name = quoted(field.name)
    text = name if field.type.strip().upper() == "VARCHAR" else f"CAST({name} AS VARCHAR)"
    match how.kind:
        case "hash":
            return _hashed(f"lower(trim(nfc_normalize({text})))" if how.fold else text, variables[how.key])
        case "cast":
            return f"TRY_CAST({name} AS {how.text})"
        case "text":
            return f"CASE WHEN {name} IS NOT NULL THEN {literal(how.text)} END"
        case "keep_last":
            few = int(how.amount)
            shown = f"CASE WHEN length({text}) >= {2 * few} THEN {STARS} || right({text}, {few}) ELSE {STARS} END"
            return f"CASE WHEN {name} IS NOT NULL THEN {shown} END"
        case "keep_domain":
            domain = f"{STARS} || '@' || lower(split_part({name}, '@', 2))"
            address = f"regexp_full_match({name}, '[^@\\s]+@[^@\\s]+')"
            return f"CASE WHEN {name} IS NOT NULL THEN CASE WHEN {address} THEN {domain} ELSE {STARS} END END"
        case "empty":
            return f"CAST(NULL AS {field.type})"
        case "month" | "year":
            return f"CAST(date_trunc('{how.kind}', {name}) AS {field.type})"
        case _:
            near = f"round(CAST({name} AS DOUBLE) / {how.amount!r}) * {how.amount!r}"
            return f"TRY_CAST({near} AS {field.type})"


def _hashed(text: str, variable: str) -> str:
    """HMAC with SHA-256 (RFC 2104) in hexadecimal digits."""
    inner = f"unhex(sha256(getvariable('{variable}_inner') || encode({text})))"
    return f"sha256(getvariable('{variable}_outer') || {inner})"


def not_cast(job: LoadJob) -> list[tuple[str, str | None, str]]:
    """What is wrong with a record whose value cannot be cast as its step says, as rule, column and SQL."""
    found: list[tuple[str, str | None, str]] = []
    for field in job.fields:
        if field.treatment is not None and field.treatment.kind == "cast":
            name = quoted(field.name)
            already = marked([field], job.mark)
            clear = f" AND NOT ({already})" if already else ""
            wrong = f"{name} IS NOT NULL{clear} AND TRY_CAST({name} AS {field.treatment.text}) IS NULL"
            found.append((f"cast:{field.name}", field.name, wrong))
    return found


def shown(fields: Iterable[Field], texts: Mapping[str, str]) -> str:
    """The SQL of a record as JSON by the names of fields, without those that are treated; `texts` gives the SQL of each field's text."""
    members = ", ".join(f"{literal(f.name)}: {texts[f.name]}" for f in fields if f.treatment is None)
    return f"CAST(to_json({{{members}}}) AS VARCHAR)" if members else "'{}'"


def text_of_stored(field: Field) -> str:
    """The text of a field out of a table that has its value."""
    name = quoted(field.name)
    return f"CAST({f'to_json({name})' if nested(field) else name} AS VARCHAR)"


def redacted(job: LoadJob, raw: str, reasons: Sequence[tuple[str, str | None, str | None]]) -> str:
    """What may be shown of a record: as much as its row would have shown, and nothing of a value that was found wrong.

    A value that is not what its column holds may be that of another column.
    """
    values = json.loads(raw) if raw else {}
    checks = {c.id: c.columns for c in job.checks}
    wrong = {column for rule, column, _ in reasons for column in (*checks.get(rule, ()), column)}
    record = {}
    for field in job.fields:
        hidden = field.treatment is not None or None in wrong or field.name in wrong
        record[field.source_name] = HIDDEN if hidden else values.get(field.name)
    return json.dumps(record, ensure_ascii=False)
