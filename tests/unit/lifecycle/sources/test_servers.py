"""Clocks, latency and encryption as the doctor tells of them, whatever the server."""

from __future__ import annotations

import datetime as dt

import pytest

from xde.lifecycle.sources import servers


class Wound:
    """A clock of this machine that is so many seconds ahead; an answer takes so long."""

    def __init__(self, ahead: float, took: float) -> None:
        self.ahead, self.took, self.passed = ahead, took, 0.0

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=self.ahead + self.passed)

    def monotonic(self) -> float:
        self.passed += self.took / 2
        return self.passed

    def there(self) -> dt.datetime:
        """What a server with the right time says, in the middle of its answer."""
        return dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=self.took / 2)


@pytest.mark.parametrize(
    ("ahead", "took", "warns", "words"),
    [
        (0.0, 0.01, False, "the same as here"),
        (3.0, 0.01, False, "3.0 s apart"),
        (-3.0, 0.01, False, "3.0 s apart"),
        (30.0, 0.01, True, "this machine's is 30.0 s ahead of the server's: how old data is"),
        (-600.0, 0.01, True, "this machine's is 10 min behind the server's"),
        (7300.0, 0.01, True, "2.0 h ahead"),
        (6.0, 4.0, False, "s apart"),  # an answer that took four seconds tells no clock to one
    ],
)
def test_two_clocks(monkeypatch, ahead, took, warns, words):
    wound = Wound(ahead, took)
    monkeypatch.setattr(servers, "SystemClock", lambda: wound)
    told = servers.clock_of(wound.there)
    assert (told.well, told.warns) == (True, warns)
    assert words in told.told
    assert bool(told.mend) is warns


@pytest.mark.parametrize(("took", "warns"), [(0.001, False), (0.5, True)])
def test_the_shortest_of_a_few_answers_is_told(monkeypatch, took, warns):
    wound = Wound(0.0, took * 2)
    monkeypatch.setattr(servers, "SystemClock", lambda: wound)
    told = servers.round_trip(lambda: None)
    assert told.warns is warns
    assert told.told.startswith(f"{took * 1000:.1f} ms")


@pytest.mark.parametrize(
    ("words", "host", "warns"),
    [("", "127.0.0.1", False), ("", "/run/postgresql", False), ("TLSv1.3, X", "db.example.com", False), ("", "db.example.com", True)],
)
def test_what_goes_over_the_wire_in_the_open_is_told(words, host, warns):
    told = servers.tls(words, host, "use it")
    assert (told.warns, told.mend) == (warns, "use it" if warns else "")
