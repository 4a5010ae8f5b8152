"""Models of windows that are killed between loads, and before and after each commit: every row is in its windows once, or a letter once."""

from __future__ import annotations

import signal

import pytest
from crash.shop import settled, xde
from projects.clicks import Stream, project, rows

MODELS = {"marts.session_separate": Stream("session"), "marts.slide_closed": Stream("slide", on_close=True)}
LOADS = [
    [(0, "a", 0), (1, "a", 3), (2, "b", 12), (3, "c", 1)],
    [(4, "a", 21), (5, "b", 16), (6, "c", 9), (7, "a", 14)],
    [(8, "a", 8), (9, "b", 22), (10, "c", 5), (11, "a", 17), (12, "c", 40)],
    [(13, "a", 26), (14, "b", 30), (15, "c", 33), (16, "c", 37)],
]
POINTS = ("letters.written", "files.written", "commit.before", "commit.after", "pointer.moved", "step.recorded")


def came(root):
    """The first load was built; three more are loaded, one by one, and nothing is built of them."""
    web = project(root, *MODELS)
    for number, load in enumerate(LOADS):
        web.deliver(load)
        web.run(*(("web.clicks",) if number else ()))
    return web


@pytest.mark.crash
@pytest.mark.parametrize("nth", range(1, 7))
@pytest.mark.parametrize("point", POINTS)
def test_a_model_that_is_killed_goes_on_with_the_next_load(point, nth, tmp_path):
    web = came(tmp_path / "web")
    code = xde(web.root, "run", crash=f"{point}:{nth}")
    assert code in {0, -signal.SIGKILL}
    if point in POINTS[:4]:
        assert code == -signal.SIGKILL
    assert xde(web.root, "run") == 0
    settled(web.root)
    tables = web.tables(*MODELS)
    for name, stream in MODELS.items():
        told = Stream(stream.kind, on_close=stream.on_close)
        for load in LOADS:
            told.take(load)
        assert tables[name] == rows(told.table)
        assert sorted(r["id"] for r, _ in web.letters(name)) == sorted(p[0][0] for p in told.late)
        assert sum(f["windows"]["read"] for f in web.facts(name)) == sum(map(len, LOADS))
