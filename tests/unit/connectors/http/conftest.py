"""A real server on the loopback interface, and short words for reading it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from projects.apis import serving

from xde.connectors.http.sharing import Sharing
from xde.connectors.http.sources import ApiRecords, live
from xde.lifecycle.sources.apis import Manners, Paging, Request
from xde.lifecycle.sources.tables import Ask, AskedColumn, Cursor, Place

QUICK = Manners(retries=3, timeout=3.0, connect_timeout=2.0)


class Reader:
    """Reads `/orders` of a server."""

    def __init__(self, url, folder):
        self.url, self.folder = url, folder
        self.sharing = Sharing(folder / "tmp")
        self.portion = None

    def ask(self, paging=None, cursor=None, settings=None, **request):
        words = {"records": ("items",), "manners": QUICK, **request}
        asked = Request("shop.orders", "/orders", paging=paging or Paging(), **words)
        place = Place("api", {"location": self.url, **(settings or {})})
        kind = asked.cursor[0][1] if asked.cursor else "text"
        merges = bool(cursor) and not asked.appends
        return Ask(
            "shop.orders", place, "/orders", None, (AskedColumn("id", "BIGINT"),), cursor, merges=merges and kind != "", request=asked
        )

    def open(self, ask):
        return ApiRecords(ask, live(ask, dict(ask.place.settings), self.folder, self.sharing), self.sharing)

    def read(self, ask, position=None):
        """The records of a load."""
        folder = self.folder / "load"
        folder.mkdir(exist_ok=True)
        source = self.open(ask)
        try:
            self.portion = source.read(ask, position, folder)
        finally:
            source.close()
        self.lines = self.portion.pieces[0].path.read_text().split("\n")[:-1]
        assert len(self.lines) == self.portion.pieces[0].rows
        return [json.loads(line) for line in self.lines]

    def ids(self, ask, position=None):
        return [r["id"] for r in self.read(ask, position)]

    def news(self, ask, position):
        source = self.open(ask)
        try:
            return source.news(ask, position)
        finally:
            source.close()


@pytest.fixture
def api():
    with serving() as found:
        yield found


@pytest.fixture
def reader(api, tmp_path):
    return Reader(api.url, tmp_path)


@pytest.fixture
def lagging():
    def made(lag=None, column="updated_at"):
        return Cursor((column,), lag, timed=True)

    return made


def patient(ask, **manners):
    return replace(ask, request=replace(ask.request, manners=replace(QUICK, **manners)))
