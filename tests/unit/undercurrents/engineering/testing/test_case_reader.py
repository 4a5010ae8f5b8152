"""Cases read from YAML: what is written is what is given, and what is wrong has a place."""

import pytest

from xde.undercurrents.engineering.testing.case import Nested
from xde.undercurrents.engineering.testing.case_reader import read_cases


def read(text, files=None):
    return read_cases(text.encode(), "tests/x.yaml", (files or {}).get)


GOOD = """\
model: marts.orders
parameters: {rate: 2}
given:
  raw.rates: [{currency: EUR, rate: 1.5}]
cases:
  - name: one
    now: 2013-07-01
    parameters: {limit: 3}
    given:
      staging.orders:
        - {order_id: 007, status: "null", at: null, tags: [a, b], place: {x: 1}, ok: true}
    expect:
      rows: [{order_id: 7}]
      ordered: true
      tolerance: 0.01
"""


def test_a_case_as_it_is_written():
    (case,), findings = read(GOOD)
    assert findings == []
    assert (case.name, case.dataset, case.now, case.plain) == ("one", "marts.orders", "2013-07-01", True)
    assert case.parameters == {"rate": 2, "limit": 3}
    only = case.rounds[0]
    assert set(only.given) == {"raw.rates", "staging.orders"}
    cells = only.given["staging.orders"].rows[0].cells
    assert cells == {
        "order_id": "007",
        "status": "null",
        "at": None,
        "tags": Nested('["a", "b"]'),
        "place": Nested('{"x": 1}'),
        "ok": "true",
    }
    assert str(only.given["staging.orders"].rows[0].place("status")) == "tests/x.yaml:11:35"
    assert (only.expect.ordered, only.expect.tolerance) == (True, 0.01)


def test_a_digest_changes_with_all_that_a_case_sees():
    digests = set()
    for text in (
        GOOD,
        GOOD.replace("1.5", "1.6"),
        GOOD.replace("007", "008"),
        GOOD.replace("rate: 2", "rate: 3"),
        GOOD.replace("marts", "m"),
    ):
        (case,), _ = read(text)
        digests.add(case.digest)
    assert len(digests) == 5


def test_fixtures_of_every_kind():
    text = """\
model: a.b
cases:
  - name: x
    given:
      r.csv: {file: tests/fixtures/a.csv}
      r.ndjson: {file: tests/fixtures/a.ndjson}
      r.parquet: {file: tests/fixtures/a.parquet}
      r.inline: {csv: "a,b\\n1,\\n"}
    expect: []
"""
    files = {
        "tests/fixtures/a.csv": b"a,b\n1,x\n2,\n",
        "tests/fixtures/a.ndjson": b'{"a": 1, "b": [1]}\n',
        "tests/fixtures/a.parquet": b"PAR1",
    }
    (case,), findings = read(text, files)
    assert findings == []
    given = case.rounds[0].given
    assert [r.cells for r in given["r.csv"].rows] == [{"a": "1", "b": "x"}, {"a": "2", "b": None}]
    assert [r.cells for r in given["r.ndjson"].rows] == [{"a": "1", "b": Nested("[1]")}]
    assert given["r.parquet"].parquet == "tests/fixtures/a.parquet"
    assert [r.cells for r in given["r.inline"].rows] == [{"a": "1", "b": None}]
    assert case.rounds[0].expect.rows.rows == ()


def test_several_runs():
    text = """\
model: a.b
cases:
  - name: x
    given: {r.a: [{x: 1}]}
    runs:
      - expect: [{x: 1}]
      - add: {r.a: [{x: 2}]}
        full: true
        expect: [{x: 1}, {x: 2}]
"""
    (case,), findings = read(text)
    assert findings == []
    first, second = case.rounds
    assert set(first.given) == {"r.a"}
    assert (set(second.given), set(second.add), second.full) == (set(), {"r.a"}, True)
    assert not case.plain


BAD = [
    ("", "XDE0109"),
    ("cases: []", "XDE0903"),
    ("model: orders\ncases: [{name: x, expect: []}]", "XDE0903"),
    ("model: a.b\ncases: [{name: x}]", "XDE0901"),
    ("model: a.b\ncases: [{expect: []}]", "XDE0901"),
    ("model: a.b\ncases: [{name: x, expected: [], expect: []}]", "XDE0900"),
    ("model: a.b\ncases: [{name: x, expect: 3}]", "XDE0901"),
    ("model: a.b\ncases: [{name: x, expect: {finding: nope}}]", "XDE0903"),
    ("model: a.b\ncases: [{name: x, expect: [1]}]", "XDE0901"),
    ("model: a.b\ncases: [{name: x, given: {orders: []}, expect: []}]", "XDE0903"),
    ("model: a.b\ncases: [{name: x, given: {r.o: {file: a.csv, csv: b}}, expect: []}]", "XDE0903"),
    ("model: a.b\ncases: [{name: x, given: {r.o: {file: gone.csv}}, expect: []}]", "XDE0906"),
    ("model: a.b\ncases: [{name: x, given: {r.o: {file: a.txt}}, expect: []}]", "XDE0906"),
    ("model: a.b\ncases: [{name: x, given: {r.o: {ndjson: '{1'}}, expect: []}]", "XDE0906"),
    ("model: a.b\ncases: [{name: x, given: {r.o: {ndjson: '1'}}, expect: []}]", "XDE0906"),
    ("model: a.b\ncases: [{name: x, given: {r.o: {file: latin.csv}}, expect: []}]", "XDE0906"),
    ("model: a.b\ncases: [{name: x, expect: []}, {name: x, expect: []}]", "XDE0904"),
    ("cases: [{name: x, expect: []}]", "XDE0902"),
    ("model: a.b\ncases: [{name: x, expect: [}]", "XDE0104"),
]


@pytest.mark.parametrize(("text", "code"), BAD, ids=[f"{i}-{c}" for i, (_, c) in enumerate(BAD)])
def test_what_is_wrong_is_told_with_its_place(text, code):
    _, findings = read(text, {"a.txt": b"x", "latin.csv": b"a\n\xe9\n"})
    assert [f.code for f in findings] == [code]
    assert findings[0].span is not None
    assert findings[0].hint or findings[0].why or "must be" in findings[0].message
