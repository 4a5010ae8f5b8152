"""The texts of the new project: models with their heads, views of what dbt called its columns, seeds, checks, cases, settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.undercurrents.engineering.dbt.promised import Promised, document
from xde.undercurrents.engineering.dbt.yaml_text import yaml_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xde.undercurrents.engineering.dbt.promised import Watch
    from xde.undercurrents.engineering.dbt.rendering import Rendered

IGNORED = ".xde/\n"


def model_text(head: Mapping[str, object], sql: str) -> str:
    """A model's file; the SQL is as it was rendered, without blank lines at its ends and a last `;`."""
    return f"/* xde\n{yaml_text(head).replace('*/', '* /')}*/\n{_body(sql)}"


def _body(sql: str) -> str:
    lines = sql.split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    return "\n".join(lines).rstrip().removesuffix(";").rstrip() + "\n"


def waiting_text(rendered: Rendered, template: str, place: str) -> str:
    """A model that waits: its SQL where there is one, else its template, below a comment that says what for."""
    why = " ".join(f"{rendered.reason}; {rendered.hint}".rstrip("; ").split()).replace("*/", "* /")
    note = f"/* not built: {why}\n   from {place}\n*/\n"
    if not rendered.sql.strip():
        return note + template.lstrip("\n")
    return model_text({"kind": rendered.kind or "table"}, rendered.sql) + "\n" + note


def contract_text(dataset: str, promised: Promised, kind: str, project: str) -> str:
    """The contract beside a model or seed."""
    physical = "view" if kind in {"view", "ephemeral"} else "table"
    return yaml_text(document(dataset, [promised.table(dataset.partition(".")[2], physical)], project))


def as_dbt_text(dataset: str, head: Mapping[str, object]) -> str:
    """A view of a history with the columns that a snapshot of dbt has."""
    keys = head["key"] if isinstance(head["key"], list) else [head["key"]]
    since = head.get("updated", "valid_from")
    parts = [f"coalesce(cast({c} as varchar), '')" for c in (*keys, since)]
    identity = " || '|' || ".join(parts)  # the same text of keys and time as dbt's own
    return model_text(
        {"kind": "view", "description": "The history with the columns of a dbt snapshot"},
        "SELECT\n"
        "    * EXCLUDE (valid_from, valid_to, is_current),\n"
        f"    md5({identity}) AS dbt_scd_id,\n"
        "    valid_from AS dbt_updated_at,\n"
        "    valid_from AS dbt_valid_from,\n"
        "    valid_to AS dbt_valid_to\n"
        f"FROM {dataset}\n",
    )


def watch_texts(watch: Watch, dataset: str, project: str) -> tuple[str, str]:
    """The view of rows that must not be there, and the contract that says so."""
    promised = Promised(description=watch.description or "Rows that must not be there", rules=[dict(r) for r in watch.rules])
    return model_text({"kind": "view"}, watch.sql), contract_text(dataset, promised, "view", project)


def cases_text(dataset: str, cases: Sequence[Mapping[str, object]]) -> str:
    """The file of the cases of a model."""
    return yaml_text({"model": dataset, "cases": list(cases)})


def settings_text(name: str) -> str:
    """`xde.yaml`."""
    return yaml_text({"name": name})
