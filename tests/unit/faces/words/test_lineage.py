"""Lineage as a tree."""

import json

from xde.app.answers import LineageNode
from xde.faces.words.lineage import lineage_fact, lineage_text
from xde.kernel.graph.analysis import ColumnRef

TREE = LineageNode(
    "marts.carrier_delay.mean_delay",
    "column",
    "computed",
    "DOUBLE",
    "avg(\n    f.arr_delay\n)",
    (
        LineageNode("staging.flights.arr_delay", "column", "copied", parents=(LineageNode("nyc.flights.arr_delay", "column", "copied"),)),
        LineageNode("staging.flights.cancelled", "column", "filters", readers=(ColumnRef("marts.routes", "x"),)),
    ),
)


def test_the_tree():
    assert lineage_text(TREE) == (
        "marts.carrier_delay.mean_delay  DOUBLE  computed  avg( f.arr_delay )\n"
        "├── staging.flights.arr_delay  copied\n"
        "│   └── nyc.flights.arr_delay  copied\n"
        "└── staging.flights.cancelled  filters  read by marts.routes.x\n"
    )


def test_the_same_as_data():
    document = json.loads(json.dumps(lineage_fact(TREE)))
    assert document["parents"][0]["parents"][0]["name"] == "nyc.flights.arr_delay"
    assert document["parents"][1]["readers"] == ["marts.routes.x"]
    assert set(document) == {"name", "kind", "how", "type", "expression", "parents", "readers"}
