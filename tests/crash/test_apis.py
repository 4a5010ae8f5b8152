"""Killed at every named point while an API is read: no record is lost and none is there twice."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from crash.shop import LOAD_POINTS, xde
from projects.apis import serving
from projects.contracts import head

from xde.app.workspace import Workspace
from xde.ground.crash import CrashPoint

if TYPE_CHECKING:
    from pathlib import Path

    from projects.apis import Api

CONTRACT = """\
servers:
  - {{server: shop, type: api, location: {url}}}
schema:
  - name: orders
    customProperties:
      - {{property: xdeIncrementalCursor, value: {{property: id}}}}
      - property: xdeRequest
        value: {{records: items, pages: {{kind: page, total: total}}, since: {{parameter: from}}}}
    properties:
      - {{name: id, logicalType: integer, primaryKey: true, required: true}}
      - {{name: amount, logicalType: integer}}
  - name: order_lines
    customProperties: [{{property: xdeRequest, value: {{parent: orders, records: lines}}}}]
    properties:
      - {{name: order_id, physicalName: ../id, logicalType: integer}}
      - {{name: sku, logicalType: string}}
"""


def sell(shelf: list[dict[str, object]], *ids: int) -> None:
    shelf += [{"id": i, "amount": "bad" if i % 10 == 3 else i, "lines": [{"sku": f"{i}a"}, {"sku": f"{i}b"}]} for i in ids]


def found(root: Path) -> tuple[list[int], list[str], list[tuple[int, str]]]:
    with Workspace.open(root) as workspace:
        rows = workspace.show("shop.orders", limit=None).read_all().to_pylist()
        lines = workspace.show("shop.order_lines", limit=None).read_all().to_pylist()
        letters = [x.letter.raw.decode()[:9] for x in workspace.letters(status="open")]
    return sorted(r["id"] for r in rows), sorted(letters), sorted((r["order_id"], r["sku"]) for r in lines)


def died_and_rose(root: Path, api: Api, point: str) -> None:
    shelf: list[dict[str, object]] = []

    def orders(asked: object) -> object:
        left = [r for r in shelf if int(str(r["id"])) >= int(asked.query.get("from", 0))]  # type: ignore[attr-defined]  # see `projects.apis`
        at = 2 * (int(asked.query["page"]) - 1)  # type: ignore[attr-defined]  # the same
        return {"items": left[at : at + 2], "total": len(left)}

    api.answers["/orders"] = orders
    (root / "sources").mkdir(parents=True)
    (root / "xde.yaml").write_text("name: shop\n")
    (root / "sources/shop.yaml").write_text(head() + CONTRACT.format(url=api.url))
    sell(shelf, *range(1, 6))
    assert xde(root, "run", crash=point) == -signal.SIGKILL
    sell(shelf, *range(6, 9))
    assert xde(root, "run") == 0
    sell(shelf, *range(9, 16))
    assert xde(root, "run", crash=point) == -signal.SIGKILL
    sell(shelf, 16)
    assert xde(root, "run") == 0
    every = range(1, 17)
    assert found(root) == (
        [i for i in every if i % 10 != 3],
        ['{"id": 13', '{"id": 3,'],
        sorted((i, f"{i}{x}") for i in every for x in "ab"),
    )
    assert not list((root / ".xde/tmp").glob("table-*")), "what a killed process left is taken away by the next that reads"


@pytest.mark.crash
def test_a_crash_between_two_pages(tmp_path):
    with serving() as api:
        died_and_rose(tmp_path / "shop", api, f"{CrashPoint.PAGE_READ}:2")


@pytest.mark.crash
@pytest.mark.parametrize("point", [*LOAD_POINTS, CrashPoint.PAGE_READ])
def test_every_point(point, tmp_path):
    with serving() as api:
        died_and_rose(tmp_path / "shop", api, str(point))
