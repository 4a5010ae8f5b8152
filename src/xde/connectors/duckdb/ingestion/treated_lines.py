"""In-flight steps of records that are pushed, by the engine that loads files: the same rules, the same steps, in memory alone."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from xde.connectors.duckdb.ingestion.line_files import Members, json_source, new_in_json
from xde.connectors.duckdb.ingestion.recovering import without_words
from xde.connectors.duckdb.ingestion.stage import Stage
from xde.connectors.duckdb.ingestion.treating import give_keys, redacted
from xde.connectors.duckdb.ingestion.words import UNKNOWN, reason_of
from xde.ground.errors import UserError
from xde.ground.names import literal
from xde.lifecycle.ingestion.at_the_door import REFUSED, TOLD, Treated
from xde.lifecycle.ingestion.port import LetterReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

    from xde.lifecycle.ingestion.port import LoadJob

LINES = "(SELECT unnest($1::VARCHAR[]) AS line)"
FAILED = "XDE0339"


class TreatedLines:
    """See `lifecycle.ingestion.at_the_door.DoorSteps`. The job has the fields and rules of records as they come, and the keys."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, job: LoadJob) -> None:
        """`connection` is to an instance that puts nothing on a disk, and is closed with this."""
        self._connection, self._job = connection, job
        self._one = threading.Lock()
        connection.execute("SET threads = 1")  # a few records at a time
        give_keys(connection, job)
        members = Members()
        texts = {f.name: members.text(f) for f in job.fields}
        source = json_source(LINES, texts, members, new_in_json(job), many=members.doubtful)
        stage = Stage(connection, job)
        stage.made = True  # nothing is staged
        connection.execute(f"PREPARE looked_at AS {stage.looked_at(source)}")  # to plan it takes longer than to do it

    def treat(self, lines: Sequence[str]) -> Sequence[Treated]:
        """Look at records and treat them. One on which a rule itself fails is refused, without those beside it."""
        try:
            return self._treated(lines)
        except UserError as error:
            if any(f.code != FAILED for f in error.findings):
                raise
        return [self._treated_alone(line) for line in lines]

    def _treated_alone(self, line: str) -> Treated:
        try:
            return self._treated([line])[0]
        except UserError:
            reason = LetterReason("parse", None, "a rule of the contract could not be held against it")
            return Treated(json.dumps({REFUSED: json.dumps([_told(reason)])}), (reason,))

    def _treated(self, lines: Sequence[str]) -> list[Treated]:
        with self._one, without_words(self._job.dataset):
            given = ", ".join(map(literal, lines))  # a prepared query of this engine takes its values in no other way
            found = self._connection.execute(f"EXECUTE looked_at([{given}])").fetchall()
        made = {int(nth): Treated(line) if wrong is None else self._refused(wrong, shown) for nth, wrong, shown, line in found}
        return [made[n] for n in range(len(lines))]

    def close(self) -> None:
        """Close the connection."""
        with self._one:
            self._connection.close()

    def _refused(self, wrong: str, shown: str) -> Treated:
        entries = [(x["rule"], x["name"]) for x in json.loads(wrong)]
        reasons = tuple(_unnamed(reason_of(self._job, rule, name, None)) for rule, name in entries)
        record = json.loads(redacted(self._job, shown, [(rule, name, None) for rule, name in entries]))
        told = [_told(r) for r in reasons]
        dropped = {f.source_name for f in self._job.fields if f.kept_type is None}
        line = {**{n: v for n, v in record.items() if n not in dropped}, REFUSED: json.dumps(told, ensure_ascii=False)}
        return Treated(json.dumps(line, ensure_ascii=False), reasons)


def _told(reason: LetterReason) -> dict[str, str | None]:
    return {"rule": TOLD + json.dumps([reason.rule, reason.message], ensure_ascii=False), "name": reason.column, "value": None}


def _unnamed(reason: LetterReason) -> LetterReason:
    """A member that the contract does not have may be called anything, by a value too."""
    return LetterReason(UNKNOWN, None, "the contract does not have one of its members") if reason.rule == UNKNOWN else reason
