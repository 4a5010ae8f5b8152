"""The words of a file of cases, as data: what its reader checks, and what an editor is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.kernel.project.fields import Anything, Codes, Either, Flag, ListOf, MapOf, Number, Record, Text

if TYPE_CHECKING:
    from xde.kernel.project.fields import Complaints
    from xde.kernel.project.tree import Mapping

CODES = Codes(unknown="XDE0900", missing="XDE0901", type="XDE0901", value="XDE0903")

_DATASET = r"^[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*$"
_model = Text(pattern=_DATASET, wanted="a dataset's name", example="marts.carrier_delay", doc="The model that is tested")
_source = Text(pattern=_DATASET, wanted="a dataset's name", example="nyc.flights", doc="The source whose contract is tested")
_flow = Text(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", wanted="a flow's name", example="busiest", doc="The flow that is tested")
_call = Text(
    pattern=r"\S", wanted="a call", example="busiest(orders, key := customer, by := amount)", doc="How the flow is called, as after FROM"
)
_types = MapOf(MapOf(Text(wanted="a type", example="BIGINT")), doc="Types of columns given to a flow, where their values do not show them")
_GIVEN_NAME = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$"
_rows = ListOf(MapOf(Anything()), doc="Rows; only the columns that matter")


def _one_of(node: Mapping, say: Complaints) -> None:
    if len(node.items) != 1:
        say.wrong_value(node, "a table is given in one way", hint="write `file:`, `csv:` or `ndjson:`, and only one of them")


_TABLE = Either(
    "a list of rows, or a mapping with `file`, `csv` or `ndjson`",
    sequence=_rows,
    mapping=Record(
        {
            "file": Text(doc="A CSV, NDJSON or Parquet file, relative to the project", example="tests/fixtures/flights.csv"),
            "csv": Text(doc="CSV with a header; an empty field is NULL"),
            "ndjson": Text(doc="A JSON record a line"),
        },
        also=_one_of,
    ),
)
_GIVEN = MapOf(_TABLE, key_pattern=_GIVEN_NAME, key_wanted="a dataset's name, `schema.name`", doc="Rows of the datasets that are read")
_LETTER = Record(
    {
        "line": Number(whole=True, least=1, doc="The line that the record starts on"),
        "column": Text(doc="The column at fault"),
        "rule": Text(doc="The rule: `type`, `required`, `enum`, `parse`, a check's id ..."),
        "reason": Text(doc="A part of the sentence that says why"),
        "raw": Text(doc="A part of the record itself"),
    }
)
_EXPECT = Either(
    "a list of rows, or a mapping",
    sequence=_rows,
    mapping=Record(
        {
            "rows": _TABLE,
            "ordered": Flag(doc="The rows must come in this order"),
            "whole": Flag(doc="The rows must have these columns and no others"),
            "tolerance": Number(least=0, doc="How far numbers of floating point may be off, relative; default 1e-9"),
            "contract": Flag(doc="The rows must keep the contract of the model"),
            "anyOrder": Flag(doc="The rows must be the same whatever the order of those that are given"),
            "asFull": Flag(doc="The rows in the table must be those of a full refresh"),
            "finding": Text(pattern=r"^XDE\d{4}$", wanted="a finding's code", example="XDE0501", doc="The finding that must stop it"),
            "letters": Either(
                "a list of letters, or their number",
                scalar=Number(whole=True, least=0),
                sequence=ListOf(_LETTER),
                doc="The dead letters of a load",
            ),
        }
    ),
    doc="What must come out",
)
_RAW = {
    "raw": Text(doc="What the source delivers, as it stands in the file"),
    "files": ListOf(
        Either(
            "a path, or a mapping with `name` and `content`",
            scalar=Text(),
            mapping=Record({"name": Text(doc="The file's name"), "content": Text(doc="What stands in it")}, ("name", "content")),
        ),
        doc="The files that the source delivers",
    ),
}
_now = Either("a moment", scalar=Anything(plain=True), doc="What time it is: an ISO moment, in UTC unless it says otherwise")
_parameters = MapOf(Anything(), doc="Values of `$name` in this case")
_ADD = MapOf(_TABLE, key_pattern=_DATASET, key_wanted="a dataset's name, `schema.name`", doc="Rows that come to those that are there")
_RUN = Record({"given": _GIVEN, "add": _ADD, "expect": _EXPECT, "now": _now, "full": Flag(doc="A full refresh"), **_RAW})


def _something_expected(node: Mapping, say: Complaints) -> None:
    if "expect" not in node.items and "runs" not in node.items:
        say.missing(node, "expect", strict=True)


_ASKED = {  # what a case says for itself, and a file for all of its cases
    "model": _model,
    "source": _source,
    "flow": _flow,
    "call": _call,
    "types": _types,
    "given": _GIVEN,
    "parameters": _parameters,
    "now": _now,
}
_CASE = Record(
    {
        "name": Text(pattern=r"\S", wanted="a sentence", doc="What must hold, as a sentence"),
        "description": Text(),
        **_ASKED,
        "cassette": Text(doc="Of a source that is an API: the folder of its recorded answers", example="tests/cassettes/shop/orders"),
        "cte": Text(doc="The part of the model that is looked at instead of the whole"),
        "expect": _EXPECT,
        "runs": ListOf(_RUN, least=1, doc="Several runs that follow each other on the same table"),
        "tags": ListOf(Text()),
        **_RAW,
    },
    ("name",),
    also=_something_expected,
)
FILE = Record(
    {
        **_ASKED,
        "cases": ListOf(_CASE, least=1, doc="The cases"),
    },
    ("cases",),
    strict=True,
    doc="Cases of an xde project (a file under `tests/`)",
)
