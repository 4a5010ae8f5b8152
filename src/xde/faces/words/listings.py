"""What there is, in tables: datasets, commits, runs and their steps, diagnoses, what a cleaning took away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.cells import visible
from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.numbers import amount, count, duration, moment, size
from xde.faces.words.table import Column, draw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.answers import DatasetLine, Diagnosis, HistoryLine
    from xde.app.expiring import Expired
    from xde.app.leftover_slots import Freed
    from xde.kernel.plan.ledger import RunRecord, StepRecord
    from xde.lifecycle.storage.port import Cleaned

BAD = frozenset({"missing", "denied"})
WIDE = 110  # characters of a line that is still read as one


def _table(titles: str, right: str, rows: Sequence[Sequence[str | None]], ink: Ink, cells: int | None = None) -> str:
    """A table of titles in one text, parted by `|`; `right` names those whose cells stand right."""
    numbers = set(right.split("|"))
    columns = [Column(t, right=t in numbers) for t in titles.split("|")]
    return "\n".join(draw(columns, rows, ink=ink, cells=cells).lines) + "\n"


def datasets_text(lines: Sequence[DatasetLine], ink: Ink = PLAIN, cells: int | None = None) -> str:
    """Datasets as a table; what is not built yet has no figures."""
    rows = [
        [
            x.name,
            x.kind,
            "" if x.rows is None else count(x.rows),
            "" if x.bytes is None else size(x.bytes),
            count(x.letters) if x.letters else "",
            moment(x.updated_at) if x.version or x.updated_at else "never stored" if x.kind == "ephemeral" else "not built",
            x.description.strip().split("\n")[0],
        ]
        for x in lines
    ]
    return _table("dataset|kind|rows|size|dead letters|updated (UTC)|description", "rows|size|dead letters", rows, ink, cells)


def dataset_fact(line: DatasetLine) -> dict[str, object]:
    """A dataset as JSON data."""
    return {
        "name": line.name,
        "kind": line.kind,
        "version": line.version,
        "rows": line.rows,
        "bytes": line.bytes,
        "updated_at": line.updated_at,
        "letters": line.letters,
        "description": line.description,
    }


def history_text(lines: Sequence[HistoryLine], ink: Ink = PLAIN) -> str:
    """The commits of a dataset as a table, as they come."""
    rows = [
        [
            count(x.record.number),
            moment(x.record.at),
            str(x.record.facts.get("kind", "")),
            count(x.record.rows_added),
            count(x.record.files_added),
            count(x.record.files_removed),
            str(x.record.facts.get("run", "")),
            x.version,
        ]
        for x in lines
    ]
    return _table(
        "at|when (UTC)|kind|rows added|files added|files removed|run|version", "at|rows added|files added|files removed", rows, ink
    )


def history_fact(line: HistoryLine) -> dict[str, object]:
    """A commit as JSON data, with all its facts."""
    record = line.record
    return {
        "dataset": line.dataset,
        "version": line.version,
        "number": record.number,
        "at": record.at,
        "rows_added": record.rows_added,
        "files_added": record.files_added,
        "files_removed": record.files_removed,
        "facts": dict(record.facts),
    }


def runs_text(runs: Sequence[RunRecord], ink: Ink = PLAIN) -> str:
    """Runs as a table, as they come."""
    rows = [[r.run, r.environment, r.status, moment(r.started_at), moment(r.ended_at) or "not ended"] for r in runs]
    return _table("run|environment|status|started (UTC)|ended (UTC)", "", rows, ink)


def run_record_fact(run: RunRecord) -> dict[str, object]:
    """A run of the ledger as JSON data."""
    return {
        "run": run.run,
        "environment": run.environment,
        "plan": run.plan,
        "status": run.status,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "fence": run.fence,
    }


def steps_text(steps: Sequence[StepRecord], ink: Ink = PLAIN, cells: int | None = None) -> str:
    """The steps of a run as a table."""
    rows = [[s.status, s.dataset, s.kind, *_figures(s), count(s.attempt), duration(s.seconds), s.reason] for s in steps]
    return _table("status|dataset|step|rows|size|dead letters|attempt|time|reason", "rows|size|dead letters|attempt|time", rows, ink, cells)


def _figures(step: StepRecord) -> tuple[str, str, str]:
    """Rows, size and dead letters; a view stores none of them."""
    return ("", "", "") if step.kind == "view" else (count(step.rows), size(step.bytes), count(step.letters))


def step_record_fact(step: StepRecord) -> dict[str, object]:
    """A step of the ledger as JSON data."""
    return {
        "run": step.run,
        "step": step.step,
        "kind": step.kind,
        "dataset": step.dataset,
        "version": step.version,
        "status": step.status,
        "started_at": step.started_at,
        "ended_at": step.ended_at,
        "attempt": step.attempt,
        "rows": step.rows,
        "bytes": step.bytes,
        "letters": step.letters,
        "seconds": step.seconds,
        "usage": step.facts.get("usage"),
        "reason": step.reason,
    }


def diagnosis_text(diagnosis: Diagnosis, ink: Ink = PLAIN) -> str:
    """One line with `ok`, `!` (works, but) or `!!` (does not), and a hint below; of much there is a line for each; ends with a line end."""
    sign = "ok" if diagnosis.status == "ok" else "!!" if diagnosis.status in BAD else "! "
    role = {"ok": ink("good", sign), "!!": ink("error", sign)}.get(sign, ink("warning", sign))
    said = "" if diagnosis.status == "ok" else f"{diagnosis.status}: "
    if len(diagnosis.parts) > 1 and len(diagnosis.detail) > WIDE:
        lines = [f"{role}  {visible(diagnosis.subject)}", *(f"      {visible(part)}" for part in diagnosis.parts)]
    else:
        lines = [f"{role}  {visible(diagnosis.subject)}  {said}{visible(diagnosis.detail)}".rstrip()]
    if diagnosis.hint:
        lines.append(f"    {ink('info', 'hint')}: {visible(diagnosis.hint)}")
    return "\n".join(lines) + "\n"


def diagnosis_fact(diagnosis: Diagnosis) -> dict[str, object]:
    """A diagnosis as JSON data."""
    parts = {"parts": list(diagnosis.parts)} if diagnosis.parts else {}
    return {"subject": diagnosis.subject, "status": diagnosis.status, "detail": diagnosis.detail, "hint": diagnosis.hint, **parts}


def expired_text(expired: Sequence[Expired], *, dry_run: bool) -> str:
    """The environments that were dropped, a line each; ends with a line end."""
    said = "would be dropped" if dry_run else "is dropped"
    lines = (
        f"`{e.environment}` {said}: {amount(e.datasets, 'dataset')}, last used {e.last_used[:10]}, expires after {_days(e.days)}"
        for e in expired
    )
    return "\n".join(lines) + "\n"


def expired_fact(expired: Expired) -> dict[str, object]:
    """An environment that was dropped as JSON data."""
    return {
        "environment": expired.environment,
        "last_used": expired.last_used,
        "expires_days": expired.days,
        "datasets": expired.datasets,
    }


def _days(days: float) -> str:
    return f"{days:g} day{'' if days == 1 else 's'}"


def cleaned_text(cleaned: Sequence[Cleaned], *, dry_run: bool) -> str:
    """What was taken away, a line a table, and the sum; ends with a line end."""
    lines = [
        f"{c.table.dataset}  {c.table.version}  {'whole version, ' if c.dropped else ''}{amount(len(c.files), 'file')}, {size(c.bytes)}"
        for c in cleaned
        if c.files
    ]
    files, freed = sum(len(c.files) for c in cleaned), sum(c.bytes for c in cleaned)
    if not files:
        return "nothing to clean\n"
    said = "would be taken away" if dry_run else "taken away"
    return "\n".join([*lines, f"{amount(files, 'file')}, {size(freed)} {said}"]) + "\n"


def freed_text(freed: Sequence[Freed], *, dry_run: bool) -> str:
    """The replication slots that were dropped, a line each; ends with a line end."""
    said = "would be dropped" if dry_run else "is dropped"
    return "".join(f"slot `{f.slot}` of {f.table.dataset} {said}: it held back {size(f.held)} of log\n" for f in freed)


def freed_fact(freed: Freed) -> dict[str, object]:
    """A slot that was dropped as JSON data."""
    return {"slot": freed.slot, "dataset": freed.table.dataset, "version": freed.table.version, "bytes": freed.held}


def cleaned_fact(cleaned: Cleaned) -> dict[str, object]:
    """A cleaning of one table as JSON data."""
    return {
        "dataset": cleaned.table.dataset,
        "version": cleaned.table.version,
        "dropped": cleaned.dropped,
        "files": list(cleaned.files),
        "bytes": cleaned.bytes,
    }
