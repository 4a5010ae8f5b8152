"""`xde up`, killed under load at random moments and at named points: each event that was answered for landed once."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import subprocess
import threading
import time
from contextlib import suppress

import pytest
from projects.ports import free_port

pytest.importorskip("uvicorn")

from projects.pushed import DATASET, Up, landed, letters, make

from xde.ground.crash import CrashPoint

KILLS = int(os.environ.get("XDE_KILLS", "12"))
POINTS = [
    CrashPoint.PUSH_WRITTEN,
    CrashPoint.PUSH_DURABLE,
    CrashPoint.SEGMENT_DELIVERED,
    CrashPoint.FILES_WRITTEN,
    CrashPoint.BEFORE_COMMIT,
    CrashPoint.AFTER_COMMIT,
    CrashPoint.STEP_RECORDED,
]


class Client(threading.Thread):
    """Pushes batches of events one after the other, each again with its key until it is answered."""

    def __init__(self, port: int, number: int, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.port, self.number, self.over = port, number, over
        self.answered: list[int] = []
        self.replayed = 0
        self.wrong: list[object] = []

    def run(self) -> None:
        chance = random.Random(self.number)
        batch = 0
        while not self.over.is_set():
            first = self.number * 10_000_000 + batch * 100
            events = [{"id": first + n, "what": "sale", "amount": n} for n in range(chance.choice([1, 1, 3, 50]))]
            body = json.dumps(events if len(events) > 1 else events[0])
            if not self._until_answered(body, f"{self.number}-{batch}", len(events)):
                return
            self.answered += [e["id"] for e in events]
            batch += 1

    def _until_answered(self, body: str, key: str, events: int) -> bool:
        end = time.monotonic() + 90
        connection = None
        while time.monotonic() < end:
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
                connection.request("POST", f"/push/{DATASET}", body, {"Content-Type": "application/json", "Idempotency-Key": key})
                answer = connection.getresponse()
                told = json.loads(answer.read())
            except (OSError, http.client.HTTPException, ValueError):
                if connection is not None:
                    connection.close()
                connection = None
                time.sleep(0.02)
                continue
            if answer.status == 200 and told["accepted"] == events:
                self.replayed += answer.getheader("Idempotency-Replayed") == "true"
                connection.close()
                return True
            if answer.status not in {429, 503}:
                self.wrong.append((answer.status, told))
                return False
            time.sleep(0.05)
        self.wrong.append("never answered")
        return False


def under_load(root, kills, clients: int = 4) -> list[Client]:
    """Servers one after the other while clients push, and one more that is stopped as people stop it.

    `kills` gives for each the point at which it kills itself, and the seconds after which it is killed where it names none.
    """
    port, over = free_port(), threading.Event()
    threads = [Client(port, n, over) for n in range(1, clients + 1)]
    for number, (point, seconds) in enumerate(kills):
        up = Up(root, port, {"XDE_CRASH_AT": point})
        if number == 0:
            for thread in threads:
                thread.start()
        with suppress(subprocess.TimeoutExpired):
            up.process.wait(seconds)
        assert up.process.poll() == (-signal.SIGKILL if point else None), f"{point} was not met within {seconds} s"
        up.kill()
    up = Up(root, port)
    over.set()
    for thread in threads:
        thread.join(100)
    assert up.stop() == 0, up.said
    return threads


def settled(root, threads) -> list[int]:
    """All that was answered for is there once, and nothing else."""
    answered = sorted(i for t in threads for i in t.answered)
    assert not [t.wrong for t in threads if t.wrong]
    found = landed(root)
    assert len(found) == len(set(found)), "something landed twice"
    assert found == answered
    assert not letters(root)
    assert not list(root.glob(".xde/spool/*/journal/*.log"))
    return answered


@pytest.mark.crash
def test_killed_at_random_moments_under_load(tmp_path):
    root = make(tmp_path / "p", "{commit: {every: 0.3 s, rows: 2000}}")
    chance = random.Random(20_261_121)
    threads = under_load(root, [("", chance.uniform(0.02, 2.0)) for _ in range(KILLS)])
    answered = settled(root, threads)
    print(f"{KILLS} kills, {len(answered)} events, {sum(t.replayed for t in threads)} answers given again")
    assert len(answered) > 100


@pytest.mark.crash
@pytest.mark.parametrize(("point", "nth"), [(p, 1 + n % 2) for n, p in enumerate(POINTS)])
def test_killed_at_a_named_point_under_load(tmp_path, point, nth):
    """The first server is killed at any time, the second where its name says, the third in the middle of making up for it."""
    root = make(tmp_path / "p", "{commit: {every: 0.3 s}}")
    threads = under_load(root, [("", 0.5), (f"{point}:{nth}", 30.0), ("", 0.7)], clients=2)
    settled(root, threads)
