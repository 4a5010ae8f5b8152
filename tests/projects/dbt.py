"""Small dbt projects: a project file, a profile and a seed `items`, and whatever else a test says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = "name: shop\nmodels:\n  +materialized: table\n"
PROFILE = "shop: {target: prod, outputs: {prod: {type: duckdb}}}\n"
SEED = "id,name,price,day\n1,tea,2.5,2026-01-01\n2,cake,3,2026-01-02\n3,,null,2026-01-03\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    """The folder, with the files in it."""
    for path, text in {"dbt_project.yml": PROJECT, "profiles.yml": PROFILE, "seeds/items.csv": SEED, **files}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder
