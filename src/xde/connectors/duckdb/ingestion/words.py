"""What is said of a record that was not accepted, and of a load that was refused."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

from xde.ground.errors import DataError
from xde.ground.findings import Finding
from xde.lifecycle.ingestion.at_the_door import TOLD
from xde.lifecycle.ingestion.port import LetterReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.lifecycle.ingestion.port import Dialect, Letter, LoadJob

UNKNOWN, MISSING = "unknown column", "missing column"
STRUCTURE = {
    "TOO MANY COLUMNS": "the record has more fields than the header",
    "MISSING COLUMNS": "the record has fewer fields than the header",
    "UNQUOTED VALUE": "a quote is not closed, or text follows a closed one",
    "LINE SIZE OVER MAXIMUM": "the record is longer than the contract allows",
    "INVALID ENCODING": "the record holds bytes that are not text in the file's encoding",
    "INVALID STATE": "the record is not CSV in the contract's dialect",
}


def structural(kind: str, column: str | None, message: str) -> LetterReason:
    """The reason for a record that the CSV reader refused."""
    return LetterReason("parse", column, STRUCTURE.get(kind.upper(), message.splitlines()[0][:200]))


def looked_at(reason: LetterReason, raw: bytes, header: Sequence[str], dialect: Dialect) -> LetterReason:
    """The reason of a record with too few or too many fields, with their number, and with what is wrong where that can be seen."""
    if reason.rule != "parse" or not header or reason.message not in (STRUCTURE["MISSING COLUMNS"], STRUCTURE["TOO MANY COLUMNS"]):
        return reason
    text = raw.decode("utf-8", "replace").strip("\r\n")
    try:
        fields = next(csv.reader([text], delimiter=dialect.delimiter, quotechar=dialect.quote or None), [])
    except (csv.Error, TypeError):
        return reason
    if len(fields) == 1 and text[:1] == text[-1:] == dialect.quote and dialect.delimiter in fields[0]:
        return LetterReason("parse", None, f"the whole record stands in one pair of quotes: 1 field where there should be {len(header)}")
    if len(fields) == len(header):
        return reason
    return LetterReason("parse", None, f"the record has {len(fields)} field{'s' * (len(fields) != 1)}, the header {len(header)}")


def reason_of(job: LoadJob, rule: str, column: str | None, value: str | None) -> LetterReason:
    """The reason for a record with a value that is not of its type, or that breaks a check; a personal value is not shown."""
    shown = "a value" if value is None else "its value" if column in job.personal else f"`{value[:80]}`"
    if rule.startswith(TOLD):
        before, message = json.loads(rule[len(TOLD) :])
        return LetterReason(before, column, message)
    if rule.startswith("type:"):
        field = next(f for f in job.fields if f.name == column)
        form = f" in the format `{field.format}`" if field.format else ""
        return LetterReason("type", column, f"{shown} is not a {field.type}{form}")
    if rule.startswith("cast:"):
        treatment = next(f.treatment for f in job.fields if f.name == column)
        return LetterReason("cast", column, f"{shown} cannot be cast to {treatment.text if treatment is not None else 'its type'}")
    if rule == "parse":
        return LetterReason("parse", column, "the record is not a JSON object")
    if rule == UNKNOWN:
        return LetterReason(UNKNOWN, column, f"the contract has no column `{column}`")
    if rule == MISSING:
        return LetterReason(MISSING, column, f"its file had no column `{column}`")
    if rule == "required":
        return LetterReason("required", column, f"`{column}` must not be missing")
    check = next((c for c in job.checks if c.id == rule), None)
    said = check.message if check else rule
    return LetterReason(rule, column, said if value is None or column in job.personal else f"{said}; it is {shown}")


def over_limit(job: LoadJob, letters: Sequence[Letter], records: int) -> DataError | None:
    """The error of a load with more dead letters than its contract allows."""
    limit = job.limit
    share = 100.0 * len(letters) / records if records else 0.0
    too_many = limit.records is not None and len(letters) > limit.records
    too_large = limit.percent is not None and share > limit.percent
    if not (too_many or too_large):
        return None
    allowed = f"{limit.records} records" if too_many else f"{limit.percent:g} %"
    samples = "; ".join(f"{x.file}:{x.line}: {x.reasons[0].column or 'record'}: {x.reasons[0].message}" for x in letters[:3])
    return DataError(
        Finding(
            "XDE0420",
            f"`{job.dataset}`: {len(letters):,} of {records:,} records could not be accepted, and the contract allows {allowed}",
            why=samples,
            hint="mend the delivery or the contract; nothing of this load was published",
        )
    )


def no_balance(dataset: str, path: str, records: int, accepted: int, letters: int) -> DataError:
    """The error of a file whose records are not all accounted for."""
    return DataError(
        Finding(
            "XDE0421",
            f"`{dataset}`: the records of `{path}` do not add up",
            why=f"{records:,} records stand in the file, {accepted:,} were accepted and {letters:,} are dead letters",
            hint="a quote that is never closed swallows records: look at the quotes and the delimiter in the contract's `xdeDialect`",
        )
    )
