"""How a table's schema becomes that of a commit: columns may be added; any other change needs every file replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.connectors.delta.types import needs_zoneless, storable_schema
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.lifecycle.storage.port import Column, Commit, Schema

STATS_COLUMNS = "delta.dataSkippingStatsColumns"
# nothing of the log is ever thrown away: it holds the facts. Statistics of all columns, not of the first 32
SETTINGS = {
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.enableExpiredLogCleanup": "false",
    "delta.dataSkippingNumIndexedCols": "-1",
}


@dataclass(frozen=True, slots=True)
class Evolution:
    """What has to be done before or with the commit; `replaced` is the whole new schema, when every file goes anyway."""

    added: Schema = ()
    replaced: Schema | None = None
    zoneless: bool = False
    settings: Mapping[str, str] | None = None


def evolution(now: Schema, configuration: Mapping[str, str], commit: Commit, *, whole: bool) -> Evolution:
    """Compare the table with the commit; `whole` says that the commit takes all files that there are."""
    wanted = storable_schema(commit.schema)
    if whole:
        replaced = wanted if wanted != now else None
        zoneless = needs_zoneless(wanted) and not needs_zoneless(now)
        return Evolution(replaced=replaced, zoneless=zoneless, settings=_settings(wanted, configuration, commit))
    known = {c.name.casefold(): c for c in now}
    changed = [(known[c.name.casefold()], c) for c in wanted if c.name.casefold() in known and known[c.name.casefold()].type != c.type]
    if changed:
        raise UserError(*(_refusal(commit, old, new) for old, new in changed))
    added = tuple(c for c in wanted if c.name.casefold() not in known)
    return Evolution(added=added, settings=_settings((*now, *added), configuration, commit))


def first_settings(commit: Commit) -> dict[str, str]:
    """The properties of a new table."""
    return {**SETTINGS, STATS_COLUMNS: _shown(commit.schema, commit)} if commit.personal else dict(SETTINGS)


def _settings(schema: Schema, configuration: Mapping[str, str], commit: Commit) -> dict[str, str] | None:
    wanted = {n: v for n, v in SETTINGS.items() if configuration.get(n) != v}
    if commit.personal or STATS_COLUMNS in configuration:
        shown = _shown(schema, commit)
        if configuration.get(STATS_COLUMNS) != shown:
            wanted[STATS_COLUMNS] = shown
    return wanted or None


def _shown(schema: Schema, commit: Commit) -> str:
    return ",".join("`{}`".format(c.name.replace("`", "``")) for c in schema if c.name not in commit.personal)


def _refusal(commit: Commit, old: Column, new: Column) -> Finding:
    return Finding(
        "XDE0605",
        f"`{commit.table.dataset}` has files with `{new.name}` as {old.type}, and cannot take files with {new.type} beside them",
        why="a table of Delta Lake has one type a column; to change it, every file is written anew",
        hint=f"rebuild it whole: `xde run --full {commit.table.dataset}`",
    )
