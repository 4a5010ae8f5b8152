"""Incremental by key, where keys go as well: what is in the table is what a plain dictionary of rows says."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.folder import Folder
from projects.contracts import source
from xde.app.workspace import Workspace
from xde.ground.errors import UserError

CONTRACT = source("""\
  - name: prices
    physicalName: prices*.csv
    customProperties:
      - {property: xdeWriteMode, value: replace}
    properties:
      - {name: item, logicalType: integer}
      - {name: price, logicalType: integer}
      - {name: gone, logicalType: boolean}
""")
HEAD = "/* xde\nkind: incremental\nkey: item\n{}\n*/\nSELECT item, price, gone FROM shop.prices\n"


class Shop(Folder):
    def __init__(self, root, head):
        self.root, self.number = Path(root), 0
        self.write("xde.yaml", "name: shop\n")
        self.write("sources/shop.yaml", CONTRACT)
        self.write("models/marts/prices.sql", HEAD.format(head))
        self.write("models/marts/total.sql", "SELECT count(*) AS items FROM marts.prices\n")

    def run(self, rows, **how):
        self.number += 1
        self.write(
            f"data/prices-{self.number:03}.csv", "".join(["item,price,gone\n", *(f"{i},{p},{str(g).lower()}\n" for i, p, g in rows)])
        )
        with Workspace.open(self.root) as workspace:
            finished = workspace.run(**how)
        return {o.step.dataset: o for o in finished.outcomes}

    def rows(self):
        with Workspace.open(self.root) as workspace:
            found = workspace.show("marts.prices", limit=None).read_all().to_pylist()
        return sorted((r["item"], r["price"]) for r in found)


def test_a_row_may_say_that_its_key_is_gone(tmp_path):
    shop = Shop(tmp_path, "deleted: gone")
    shop.run([(1, 10, False), (2, 20, False), (3, 30, True)])
    assert shop.rows() == [(1, 10), (2, 20)]
    shop.run([(2, 0, True), (1, 11, False), (4, 0, True)])
    assert shop.rows() == [(1, 11)]
    shop.run([(2, 22, False)])
    assert shop.rows() == [(1, 11), (2, 22)], "and it may come back"
    outcome = shop.run([(5, 1, False), (5, 0, True)])["marts.prices"]
    assert [f.code for f in outcome.findings] == ["XDE0609"], "nobody knows which of the two is the newer"
    assert shop.rows() == [(1, 11), (2, 22)]


def test_a_key_that_is_missing_from_the_whole_is_gone(tmp_path):
    shop = Shop(tmp_path, "missing: delete")
    shop.run([(1, 10, False), (2, 20, False)])
    outcomes = shop.run([(2, 20, False), (3, 30, False)])
    assert outcomes["marts.prices"].rows == 1, "only what is new is written"
    assert shop.rows() == [(2, 20), (3, 30)]
    shop.run([(3, 30, False), (2, 20, False)])
    with Workspace.open(shop.root) as workspace:
        newest = workspace.history("marts.prices")[0].record
        assert newest.facts["same"] is True
        assert (newest.files_added, newest.files_removed) == (0, 0)
    shop.run([(3, 30, False)])
    shop.run([(3, 30, False)], selection=["marts.prices"], full=True)
    assert shop.rows() == [(3, 30)]
    assert list((tmp_path / ".xde/lake/marts/prices").rglob("*.parquet")), "what was put aside is taken away"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("/* xde\nkind: incremental\nkey: item\ndeleted: price\n*/\nSELECT item, price FROM shop.prices", ["XDE0287"]),
        ("/* xde\nkind: incremental\nkey: thing\n*/\nSELECT item, price FROM shop.prices", ["XDE0280"]),
        ("/* xde\nkind: incremental\ntime: item\nmissing: delete\n*/\nSELECT item, price FROM shop.prices", ["XDE0135"]),
        ("/* xde\nkind: view\ndeleted: gone\n*/\nSELECT item, gone FROM shop.prices", ["XDE0135"]),
    ],
)
def test_heads_that_do_not_fit(tmp_path, text, codes):
    shop = Shop(tmp_path, "deleted: gone")
    shop.write("models/marts/prices.sql", text)
    with pytest.raises(UserError) as raised:
        Workspace.open(shop.root)
    assert [f.code for f in raised.value.findings] == codes


pictures = st.lists(st.dictionaries(st.integers(1, 4), st.tuples(st.integers(0, 2), st.booleans()), min_size=1), min_size=1, max_size=4)


def test_what_was_so_before_may_be_so_again(tmp_path):
    """The third delivery says what the first one said: it is no copy that was loaded already."""
    shop = Shop(tmp_path, "missing: delete")
    for there in ({1: 5, 2: 6}, {1: 5}, {1: 5, 2: 6}):
        shop.run([(k, p, False) for k, p in there.items()])
        assert shop.rows() == sorted(there.items())


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(pictures, st.booleans(), st.booleans())
def test_the_table_is_what_a_dictionary_says(runs, flagged, complete):
    head = "\n".join([*(["deleted: gone"] if flagged else []), "missing: delete" if complete else "missing: keep"])
    model: dict[int, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(folder, head)
        for picture in runs:
            shop.run([(k, p, g) for k, (p, g) in picture.items()])
            model = {k: v for k, v in model.items() if k in picture or not complete} | {k: p for k, (p, _) in picture.items()}
            model = {k: v for k, v in model.items() if not (flagged and k in picture and picture[k][1])}
            assert shop.rows() == sorted(model.items())
