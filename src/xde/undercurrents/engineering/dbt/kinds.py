"""Materializations of dbt as kinds of xde: what a head says, and what a person must look at because it is not quite the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.undercurrents.engineering.dbt.configs import first, flag, texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.ground.spans import Span
    from xde.undercurrents.engineering.dbt.report import Report

_LEFT_OUT = {
    "pre_hook": "statements before a build",
    "pre-hook": "statements before a build",
    "post_hook": "statements after a build",
    "post-hook": "statements after a build",
    "grants": "who may read the table",
    "partition_by": "how the warehouse lays out the rows",
    "cluster_by": "how the warehouse lays out the rows",
    "indexes": "indexes of the warehouse",
    "sort": "how the warehouse lays out the rows",
    "dist": "how the warehouse lays out the rows",
    "merge_update_columns": "which columns a merge updates",
    "merge_exclude_columns": "which columns a merge leaves as they are",
    "incremental_predicates": "which rows a merge looks at",
    "sql_header": "a statement before the query",
}


class Unkindly(Exception):
    """A materialization that has no kind here."""


def head_of_model(config: Mapping[str, object], place: Span, name: str, report: Report) -> dict[str, object]:
    """The words of a model's head. Raises `Unkindly` when there is no kind for it."""
    for word, what in _LEFT_OUT.items():
        if config.get(word):
            hint = "do it where it belongs: here a build computes rows, and nothing else"
            report.decide(f"`{name}`: `{word}` is not carried over ({what})", place, hint=hint)
    if config.get("full_refresh") is False:
        why = "a change of its text or of what it reads rebuilds it here, unless it is a history or appends"
        report.decide(f"`{name}`: `full_refresh: false` is not carried over", place, why, "see that all it was built of is still there")
    how = str(config.get("materialized") or "view")
    match how:
        case "view" | "table" | "ephemeral":
            return {"kind": how}
        case "incremental":
            return _incremental(config, place, name, report)
        case "materialized_view" | "dynamic_table" | "external":
            why = "a table here is computed anew by the run after its inputs changed; a file elsewhere is not written"
            report.decide(
                f"`{name}` is `{how}`, and was made a table", place, why, "say `kind: view` if it should be computed when it is read"
            )
            return {"kind": "table"}
        case _:
            raise Unkindly(f"the materialization `{how}` is the project's own or an adapter's: there is no such kind here")


def _incremental(config: Mapping[str, object], place: Span, name: str, report: Report) -> dict[str, object]:
    strategy = str(config.get("incremental_strategy") or "")
    key = texts(config.get("unique_key"))
    if strategy == "microbatch":
        return _by_time(config, place, name)
    if strategy == "insert_overwrite":
        raise Unkindly("`insert_overwrite` replaces partitions of the warehouse: say `kind: incremental` with `time`, or `kind: table`")
    if not key:
        why = "dbt adds what its filter lets through; an `append` model adds what it makes of rows that are new in its first input"
        hint = "see that the rows that it reads first are those that come, and that none of them is changed later"
        report.decide(f"`{name}` is incremental without a key, and was made `kind: append`", place, why, hint)
        return {"kind": "append"}
    plain = all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", k) for k in key)
    if not plain:
        raise Unkindly(f"the key `{', '.join(key)}` is an expression: make it a column of the query")
    return {"kind": "incremental", "key": key if len(key) > 1 else key[0]}


def _by_time(config: Mapping[str, object], place: Span, name: str) -> dict[str, object]:
    del place, name
    time = config.get("event_time")
    grain = str(config.get("batch_size") or "day")
    if not time or grain not in {"hour", "day", "month", "year"}:
        raise Unkindly("`microbatch` needs `event_time` and a `batch_size` of hour, day, month or year")
    head: dict[str, object] = {"kind": "incremental", "time": str(time), "grain": grain}
    begin = config.get("begin")
    if begin:
        head["start"] = str(begin)[:10]
    back = config.get("lookback", 1)
    if isinstance(back, int) and back > 0:
        days = {"hour": f"{back} hours", "day": f"{back} days", "month": f"{31 * back} days", "year": f"{366 * back} days"}[grain]
        head["lookback"] = days.removesuffix("s") if days.startswith("1 ") else days
    return head


def head_of_snapshot(config: Mapping[str, object], place: Span, name: str, report: Report) -> dict[str, object]:
    """The words of the head of a history. Raises `Unkindly` when there is none for it."""
    key = texts(config.get("unique_key"))
    if not key or not all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", k) for k in key):
        raise Unkindly("its `unique_key` is not a column: make it one in the query")
    head: dict[str, object] = {"kind": "history", "key": key if len(key) > 1 else key[0]}
    strategy = config.get("strategy")
    if strategy == "timestamp" and config.get("updated_at"):
        head["updated"] = str(config["updated_at"])
    elif strategy == "check":
        columns = first(config, ("check_cols",))
        head["columns"] = "all" if columns in ("all", None) else texts(columns)
    else:
        raise Unkindly(f"the strategy `{strategy}` is the project's own")
    hard = str(config.get("hard_deletes") or ("invalidate" if flag(config.get("invalidate_hard_deletes")) else "ignore"))
    if hard != "ignore":
        head["missing"] = "delete"
    if hard == "new_record":
        why = "here a key that is gone ends its period, and no row says so"
        report.decide(f"`{name}`: `hard_deletes: new_record` was made `missing: delete`", place, why, "read periods that have ended")
    for word in ("dbt_valid_to_current", "snapshot_meta_column_names"):
        if config.get(word):
            why = "the columns of a history are `valid_from`, `valid_to` and `is_current`, and `valid_to` of what holds is NULL"
            report.decide(f"`{name}`: `{word}` is not carried over", place, why, "say it in a view of the history")
    why = "what the snapshot has seen so far is in the warehouse alone: the history here begins with the first run"
    report.decide(f"the rows that `{name}` has gathered are not carried over", place, why, "load them as a source, if they are needed")
    return head
