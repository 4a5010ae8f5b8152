"""Runs SQLMesh's own sushi project, day by day, in an environment of its own: `python sushi_peer.py EXAMPLES OUT [DATA]`.

EXAMPLES is the folder `examples` of SQLMesh's source distribution and is not changed. OUT/DAY.json gets all datasets as they are after each day,
and OUT/restated.json the one whose past days were computed anew at the end. `raw_marketing` draws lots without a seed; with DATA, the folder with our
files, it gives the rows of these files instead. All else is as published, but for the start date, "1 week ago", and a configuration without BigQuery.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import sys
from pathlib import Path

FIRST, DAYS = datetime.date(2024, 1, 1), 7
CONFIG = """
from sqlmesh.core.config import Config, DuckDBConnectionConfig, ModelDefaultsConfig

config = Config(
    default_connection=DuckDBConnectionConfig(),
    model_defaults=ModelDefaultsConfig(dialect="duckdb"),
    before_all=["CREATE SCHEMA IF NOT EXISTS raw", "CREATE OR REPLACE VIEW raw.demographics AS (SELECT 1 AS customer_id, '00000' AS zip)"],
)
"""
GIVEN = """
import pandas as pd
from sqlmesh import model

@model("sushi.raw_marketing", kind="FULL", start="{first}", cron="@daily", columns={{"customer_id": "int", "status": "text", "updated_at": "timestamp"}})
def execute(context, execution_time, **kwargs):
    rows = pd.read_csv(f"{data}/marketing-{{execution_time:%Y-%m-%d}}.csv")
    rows["updated_at"] = pd.to_datetime(rows["updated_at"])
    return rows
"""
DATASETS = (
    "active_customers",
    "count_customers_active",
    "count_customers_inactive",
    "customer_revenue_by_day",
    "customer_revenue_lifetime",
    "customers",
    "items",
    "latest_order",
    "marketing",
    "order_items",
    "orders",
    "raw_marketing",
    "top_waiters",
    "waiter_as_customer_by_day",
    "waiter_names",
    "waiter_revenue_by_day",
)
RESTATED = "waiter_as_customer_by_day"


def prepare(examples: Path, work: Path, data: Path | None) -> None:
    """A copy of the project with a fixed first day, and with our marketing rows if they are given."""
    shutil.copytree(examples / "sushi", work)
    (work / "config.py").write_text(CONFIG)
    for path in [*work.glob("models/*.py"), work / "external_models.yaml"]:
        path.write_text(path.read_text().replace("1 week ago", str(FIRST)))
    if data:
        (work / "models/raw_marketing.py").write_text(GIVEN.format(first=FIRST, data=data))


def rows(context, name: str) -> list[dict[str, object]]:
    """All rows of a dataset, with dates and times as text."""
    frame = context.fetchdf(f"SELECT to_json(t) AS row FROM sushi.{name} AS t")
    return [json.loads(text) for text in frame["row"]]


def main(examples: Path, out: Path, data: Path | None) -> None:
    """Run each day after its end, at midnight."""
    sys.path.insert(0, str(examples / "custom_materializations"))
    import custom_materializations.custom_kind
    import custom_materializations.full  # noqa: F401 - being imported makes its kind known

    prepare(examples, out / "work", data)
    os.chdir(out / "work")
    from sqlmesh import Context
    from sqlmesh.core.console import NoopConsole, set_console

    set_console(NoopConsole())
    context = Context(paths=str(out / "work"))
    for n in range(DAYS):
        day, then = FIRST + datetime.timedelta(days=n), str(FIRST + datetime.timedelta(days=n + 1))
        if n:
            context.run("prod", execution_time=then, skip_janitor=True)
        else:
            context.plan("prod", execution_time=then, auto_apply=True, no_prompts=True, skip_tests=True)
        (out / f"{day}.json").write_text(json.dumps({name: rows(context, name) for name in DATASETS}))
    context.plan(
        "prod",
        execution_time=then,
        restate_models=[f"sushi.{RESTATED}"],
        start=str(FIRST),
        auto_apply=True,
        no_prompts=True,
        skip_tests=True,
    )
    (out / "restated.json").write_text(json.dumps({RESTATED: rows(context, RESTATED)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
