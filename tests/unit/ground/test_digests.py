"""Digests, each by its shorter way too."""

from __future__ import annotations

from xde.ground.digests import digest, numbered_digests


def test_numbered_digests_are_digests() -> None:
    common = ("nyc.flights", 'a "quoted" zürich.csv', None, [1, {"b": 2}])
    of = numbered_digests(*common)
    assert [of(n) for n in (0, 7, 10**12, -1)] == [digest(*common, n) for n in (0, 7, 10**12, -1)]
