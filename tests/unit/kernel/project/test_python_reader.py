"""Python models read from their text: what they say, and everything that can be wrong with them. Nothing of it is run."""

import pytest

from xde.ground.spans import Span
from xde.kernel.project.declarations import Kind
from xde.kernel.project.python_code import Form, Given, Setting
from xde.kernel.project.python_reader import read_python_model

GOOD = '''"""What is read."""
from __future__ import annotations
import datetime as dt
from typing import TYPE_CHECKING, Annotated
import xde.models as m
if TYPE_CHECKING:
    import polars as pl
    from pyarrow import RecordBatch
    from collections.abc import Iterator

raise SystemExit("nobody runs this")

@m.model(
    kind="incremental", time="day", lookback="3 days", tags=["a", "b"], requires=["polars>=1"],
    columns={"day": "DATE", "x": "DECIMAL(9,2)"}, memory="2GB", timeout="10 minutes", description="Days",
)
def anything(
    rows: Annotated[pl.LazyFrame, m.Reads("s.t", columns=["x"], time="day")],
    more: "Annotated[Iterator[RecordBatch], m.Reads('s.ü')]",
    start: dt.datetime, least=2,
) -> pl.DataFrame: ...
'''


def test_all_that_a_model_says_is_read_from_its_text():
    model, findings = read_python_model("a.m", "models/a/m.py", GOOD, {}, (None, None))
    assert findings == []
    assert model is not None and model.python is not None
    head, code = model.head, model.python
    assert (head.kind, head.time, head.lookback_days, head.tags, head.description) == (Kind.INCREMENTAL, "day", 3.0, ("a", "b"), "Days")
    assert code.function == "anything"
    assert code.given == (
        Given("rows", "s.t", Form.POLARS_LAZY, ("x", "day"), "day", Span("models/a/m.py", 18, 35, 18, 76)),
        Given("more", "s.ü", Form.BATCHES, (), None, code.given[1].span),
    )
    assert code.settings == (
        Setting("start", "datetime.datetime", Span("models/a/m.py", 20, 5, 20, 10)),
        Setting("least", None, Span("models/a/m.py", 20, 25, 20, 30)),
    )
    assert code.gives is Form.POLARS
    assert [t for t, _ in code.requires] == ["polars>=1"]
    assert [(n, t) for n, t, _ in code.columns] == [("day", "DATE"), ("x", "DECIMAL(9,2)")]
    assert (code.memory, code.timeout) == ("2GB", "10 minutes")
    assert model.sql == 'SELECT "day", "x" FROM xde_python.result'
    assert model.written == GOOD


PLAIN = """import pyarrow as pa
from typing import Annotated
from xde.models import Reads, model
@model(columns={"x": "BIGINT"})
def m(rows: Annotated[pa.Table, Reads("s.t")]) -> pa.Table:
    return rows
"""
ANNOTATION = 'Annotated[pa.Table, Reads("s.t")]'
WRONG = {
    "no Python": ({"return rows": "return ("}, ["XDE0260 6:12"]),
    "a null": ({"return rows": "return '\0'"}, ["XDE0260 1:1"]),
    "no model": ({'@model(columns={"x": "BIGINT"})\n': ""}, ["XDE0125 1:1"]),
    "another's model": ({"from xde.models import Reads, model": "from xde.models import Reads\nfrom other import model"}, ["XDE0125 1:1"]),
    "two models": ({"    return rows\n": "    return rows\n@model\ndef n(): ...\n"}, ["XDE0261 8:5"]),
    "asynchronous": ({"def m(": "async def m("}, ["XDE0261 5:11"]),
    "a word that must be run": ({'"BIGINT"}': "str(1)}"}, ["XDE0262 4:22"]),
    "words that must be run": ({'columns={"x": "BIGINT"}': "**words"}, ["XDE0262 4:10"]),
    "no words": ({'columns={"x": "BIGINT"}': '"table"'}, ["XDE0262 4:8"]),
    "an unknown word": ({"columns=": "kinds='table', columns="}, ["XDE0131 4:8"]),
    "a wrong value": ({"columns=": "kind='tables', columns="}, ["XDE0132 4:13"]),
    "a wrong type": ({"columns=": "tags='tables', columns="}, ["XDE0133 4:13"]),
    "words that do not go together": ({"columns=": "key='x', columns="}, ["XDE0135 4:8"]),
    "a kind that it cannot be": ({"columns=": "kind='view', columns="}, ["XDE0265 4:13"]),
    "a time without one": ({'"s.t")': '"s.t", time="x")'}, ["XDE0265 5:33"]),
    "batches without a time": ({"columns=": "kind='incremental', time='x', batch=1, columns="}, ["XDE0265 4:2"]),
    "a dataset that must be run": ({'Reads("s.t")': "Reads(NAME)"}, ["XDE0262 5:39"]),
    "a wrong Reads": ({'Reads("s.t")': 'Reads("s.t", colums=["a"])'}, ["XDE0263 5:33"]),
    "no Reads": ({ANNOTATION: "pa.Table"}, ["XDE0263 5:7"]),
    "other metadata": ({'Reads("s.t")': '"s.t"'}, ["XDE0263 5:7"]),
    "another type": ({"Annotated[pa.Table": "Annotated[pa.Array"}, ["XDE0263 5:7"]),
    "neither input nor parameter": ({ANNOTATION: "pa.Array"}, ["XDE0263 5:7"]),
    "a star": ({"rows: ": "*rows: "}, ["XDE0263 5:8"]),
    "no return": ({" -> pa.Table": ""}, ["XDE0263 5:5"]),
    "another return": ({"-> pa.Table": "-> list[pa.Table]"}, ["XDE0263 5:51"]),
    "no columns": ({'(columns={"x": "BIGINT"})': ""}, ["XDE0264 5:5"]),
    "a marker": ({"columns=": "requires=['polars; python_version > \"3\"'], columns="}, ["XDE0266 4:18"]),
    "an import of ours that is not there": ({"return rows": "from lib import nothing; return rows"}, ["XDE0269 6:5"]),
    "an import of ours that is no Python": ({"return rows": "import lib.broken"}, ["XDE0260 1:1"]),
    "many things": (
        {"rows: ": "*rows: ", " -> pa.Table": "", "columns=": "kind='view', columns="},
        ["XDE0263 5:8", "XDE0263 5:5", "XDE0265 4:13"],
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_with_a_model_is_told_with_its_place(what: str):
    changed, expected = WRONG[what]
    text = PLAIN
    for old, new in changed.items():
        assert old in text
        text = text.replace(old, new)
    model, findings = read_python_model("a.m", "models/a/m.py", text, {"lib/broken.py": "("}, (None, None))
    assert model is None
    assert [f"{f.code} {str(f.span).partition(':')[2]}" for f in findings] == expected
    assert all(f.hint for f in findings)


def meaning(text: str, library: dict[str, str] | None = None) -> str:
    model, findings = read_python_model("a.m", "models/a/m.py", text, library or {}, (None, None))
    assert model is not None and model.python is not None, findings
    return model.python.meaning


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("return rows", "return rows  # as it is", True),
        ("    return rows", '    """Gives rows."""\n    return rows', True),
        ("    return rows", "    return (\n        rows\n    )", True),
        ("@model(", "@model(description='x', ", True),
        ("return rows", "return rows.slice(1)", False),
        ("return rows", "return rows if 0.1 else 0.2", False),
        ("return rows", "return rows if None else True", False),
        ("def m(rows: " + ANNOTATION, "def m(rows: " + ANNOTATION + ", least=1", False),
    ],
)
def test_only_what_is_run_means_something(old: str, new: str, same: bool):
    assert (meaning(PLAIN.replace(old, new)) == meaning(PLAIN)) is same


def test_constants_that_look_alike_mean_something_else():
    texts = [PLAIN.replace("return rows", f"return rows, {c}") for c in ("1", "1.0", "True", "'1'", "b'1'", "1j", "None", "...", "''")]
    assert len({meaning(t) for t in texts}) == len(texts)
