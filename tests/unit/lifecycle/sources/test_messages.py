"""Messages as lines: whatever bytes they are, a line holds them, and gives them back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xde.lifecycle.sources.messages import line_of, moment, unpacked

RECORDS = st.dictionaries(
    st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x, max_size=3)), max_size=4
)


@given(st.binary() | st.text().map(lambda t: t.encode("utf-8", "surrogatepass")))
def test_a_line_is_one_line_and_gives_the_message_back(body):
    line = line_of(body)
    assert not any(c in line for c in b"\n\r\x00\x01")
    assert line.strip()
    back = unpacked(line)
    assert back == body or json.loads(back) == json.loads(body)


@given(RECORDS, st.sampled_from([None, 1, 2]), st.booleans())
def test_a_record_stays_the_record_that_it_was(record, indent, ascii_only):
    body = json.dumps(record, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    if b"\xed" not in body:
        assert json.loads(unpacked(line_of(body))) == record


@given(RECORDS, st.sampled_from([None, 2]))
def test_what_is_told_stands_before_the_members(record, indent):
    record.pop("$offset", None)
    body = json.dumps(record, indent=indent).encode()
    assert json.loads(line_of(body, {"$offset": 7})) == {"$offset": 7, **record}


@pytest.mark.parametrize("body", [b"", b"nothing", b"[1]", b"{", b"\xff{}", b'{"a": 1}}', b"\xef\xbb\xbf{}"])
def test_of_what_is_no_record_nothing_is_told(body):
    assert unpacked(line_of(body, {"$offset": 7})) == body


def test_a_member_of_the_name_gives_way(tmp_path):
    assert line_of(b'{"$offset": 1}', {"$offset": 7}).startswith(b'{"$offset": 7, ')


def test_a_moment_in_milliseconds():
    assert (moment(1_700_000_000_123), moment(-1)) == ("2023-11-14T22:13:20.123Z", "1969-12-31T23:59:59.999Z")
