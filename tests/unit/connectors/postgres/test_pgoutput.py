"""The decoder on what a PostgreSQL 15 server wrote, byte by byte."""

from __future__ import annotations

import pytest

from xde.connectors.postgres.capture.pgoutput import KEPT, Begin, Commit, Delete, Insert, Relation, RelationColumn, Truncate, Update, decode
from xde.ground.errors import Bug

ORDERS = 0x4002
WRITTEN = {
    "420000000001926d18000303cef68281fd000002dc": Begin(0x1926D18, 848612364026365, 0x2DC),
    "43000000000001926d180000000001926d48000303cef68281fd": Commit(0x1926D18, 0x1926D48),
    "52000040027075626c6963006f7264657273006400040169640000000014ffffffff00637573746f6d65720000000019ffffffff"
    "00616d6f756e7400000006a4000a0006006e6f74650000000019ffffffff": Relation(
        ORDERS,
        "public",
        "orders",
        "d",
        (
            RelationColumn("id", 20, -1, key=True),
            RelationColumn("customer", 25, -1, key=False),
            RelationColumn("amount", 1700, (10 << 16 | 2) + 4, key=False),
            RelationColumn("note", 25, -1, key=False),
        ),
    ),
    "49000040024e00047400000001317400000002c3a47400000004312e35306e": Insert(ORDERS, ("1", "ä", "1.50", None)),
    "55000040024e00047400000001317400000002c3a47400000004322e303075": Update(ORDERS, None, ("1", "ä", "2.00", KEPT)),
    "55000040024b00047400000001316e6e6e4e00047400000001327400000002c3a47400000004322e303075": Update(
        ORDERS, ("1", None, None, None), ("2", "ä", "2.00", KEPT)
    ),
    "55000040024f00047400000001317400000001616e74000000004e00047400000001317400000001617400000004322e30307400000000": Update(
        ORDERS, ("1", "a", None, ""), ("1", "a", "2.00", "")
    ),
    "44000040024b00047400000001326e6e6e": Delete(ORDERS, ("2", None, None, None)),
    "44000040024f00047400000001317400000001617400000004322e30307400000000": Delete(ORDERS, ("1", "a", "2.00", "")),
    "54000000010000004002": Truncate((ORDERS,)),
    "4f0000000001926d186f7468657200": None,
    "590000400a7075626c6963006d6f6f6400": None,
}


@pytest.mark.parametrize("written", WRITTEN)
def test_each_message(written):
    assert decode(bytes.fromhex(written)) == WRITTEN[written]


@pytest.mark.parametrize("written", ["53", "49000040024e00016200000001ff"])
def test_what_nobody_asked_for_is_refused(written):
    with pytest.raises(Bug):
        decode(bytes.fromhex(written))
