"""Records found by whole pieces of a file are those found line by line, wherever they stand."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xde.connectors.duckdb.ingestion import splitting
from xde.connectors.duckdb.ingestion.splitting import BOM, Splitting, lines_as_records, records

LINES = st.lists(st.binary(max_size=6).map(lambda b: b.replace(b"\n", b"").rstrip(b"\r")), max_size=40)


@given(lines=LINES, data=st.data())
def test_every_line_a_record(lines, data):
    ending, mark = data.draw(st.sampled_from([b"\n", b"\r\n"])), data.draw(st.sampled_from([b"", BOM]))
    text = mark + ending.join(lines) + data.draw(st.sampled_from([b"", ending]))
    above = data.draw(st.integers(0, 2))
    every = list(records(io.BytesIO(text), Splitting(), {}, above))
    refused = {r.offset: len(r.raw) for r in every if data.draw(st.booleans())}
    wanted = data.draw(st.lists(st.integers(0, max(len(every) - len(refused) - 1, 0)), unique=True).map(sorted))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(splitting, "PIECE", data.draw(st.integers(1, 30)))
        found = list(lines_as_records(io.BytesIO(text), refused, wanted, above))
    kept = list(records(io.BytesIO(text), Splitting(), refused, above))
    positions = {id(r): n for n, r in enumerate(r for r in kept if not r.refused)}
    assert found == [r for r in kept if r.refused or positions[id(r)] in wanted]
