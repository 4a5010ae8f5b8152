"""Whatever an API does between two pages, and however late records come: what was loaded is what it has."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from projects.apis import Reply

from xde.connectors.http import retrying
from xde.ground.errors import TemporaryError
from xde.lifecycle.sources.apis import Paging, Since
from xde.lifecycle.sources.tables import Cursor

START = datetime(2026, 1, 1, tzinfo=UTC)
LAG = 7200
PAGINGS = [
    Paging("page", "page", size_parameter="limit", size=3),
    Paging("page", "page", size_parameter="limit", size=3, short=True),
    Paging("offset", "offset", first=0, size_parameter="limit", size=4, total=("total",)),
    Paging("cursor", "after", at=("next",), size_parameter="limit", size=3),
    Paging("next", at=("link",), size_parameter="limit", size=3),
    Paging("link", size_parameter="limit", size=3),
]


class Shelf:
    """Records that come and change, up to the lag late, and a server that fails now and then."""

    def __init__(self, seed, api):
        self.chance, self.now, self.url = random.Random(seed), START, api.url
        self.records = {}
        self.inclusive = self.chance.random() < 0.5
        api.answers["/orders"] = self.answer

    def live(self):
        for _ in range(self.chance.randrange(12)):
            self.now += timedelta(minutes=self.chance.randrange(60))
            late = timedelta(seconds=self.chance.randrange(LAG)) if self.chance.random() < 0.3 else timedelta()
            known = self.chance.randrange(1, 40)
            record = {"id": known, "n": self.chance.random(), "updated_at": (self.now - late).isoformat().replace("+00:00", "Z")}
            if known not in self.records or self.records[known]["updated_at"] < record["updated_at"]:
                self.records[known] = record

    def answer(self, asked):
        fault = self.chance.random()
        if fault < 0.1:
            return Reply("no", self.chance.choice([429, 500, 502, 503]), {"Retry-After": "1"} if fault < 0.05 else {})
        since = asked.query.get("since", "")
        found = sorted(self.records.values(), key=lambda r: (r["updated_at"], r["id"]))
        found = [r for r in found if r["updated_at"] > since or (self.inclusive and r["updated_at"] == since)]
        limit = int(asked.query["limit"])
        at = int(asked.query.get("offset") or asked.query.get("after") or (int(asked.query.get("page", 1)) - 1) * limit)
        more = at + limit if at + limit < len(found) else None
        link = f"/orders?limit={limit}&after={more}" + (f"&since={since.replace('+', '%2B')}" if since else "") if more else None
        body = {"items": found[at : at + limit], "total": len(found), "next": more, "link": link}
        headers = {"Link": f'<{link}>; rel="next"'} if link else {}
        return Reply(body, headers=headers, cut=7 if 0.1 < fault < 0.15 else 0, packed=fault > 0.6)


EVERY = [pytest.param(p, seed, id=f"{p.kind}-{seed}", marks=pytest.mark.slow) for p in PAGINGS for seed in range(4)]


@pytest.mark.slow
@pytest.mark.parametrize(("paging", "seed"), [pytest.param(PAGINGS[3], 4, id="cursor"), *EVERY])
def test_what_was_loaded_is_what_there_is(api, reader, monkeypatch, paging, seed):
    monkeypatch.setattr(retrying, "nap", lambda *_: None)
    shelf = Shelf(seed, api)
    ask = reader.ask(paging, Cursor(("updated_at",), float(LAG), timed=True), since=Since("since"))
    ask = replace(ask, merges=True, request=replace(ask.asked, cursor=((("updated_at",), "time"),)))
    table, position, nothing = {}, None, 0
    for _ in range(12):
        shelf.live()
        try:
            news = reader.news(ask, position)
        except TemporaryError:
            continue
        if news is None:
            nothing += 1
        else:
            try:
                table |= {r["id"]: r for r in reader.read(ask, position)}
            except TemporaryError:
                continue
            position = reader.portion.position
        assert table == {n: {**r, "n": r["n"]} for n, r in shelf.records.items()}
    assert position is not None
