"""`xde test --watch` as its user has it: a process that stays, says what each save does, and ends with Ctrl-C."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import Empty, Queue

import pytest

import xde

EXAMPLE = Path(__file__).parents[4] / "examples/jaffle_shop"
CASES_OF_SHOP = Path(__file__).parents[3] / "data/shop_cases"  # not those of the example, which grow


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "jaffle"
    shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".xde", "tests"))
    shutil.copytree(CASES_OF_SHOP, root / "tests")
    return root


class Watching:
    """The process, and its lines of stdout as they come."""

    def __init__(self, root, *options):
        environment = {**os.environ, "PYTHONPATH": str(Path(xde.__file__).parents[1]), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "xde.faces.cli.main", "--project", str(root), "test", "--watch", *options]
        # a shell that starts this in the background has SIGINT ignored, and children inherit that
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        signal.signal(signal.SIGINT, before)
        self.lines = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def until(self, word):
        """The lines up to the first with a word in it."""
        found = []
        try:
            while True:
                found.append(self.lines.get(timeout=20))
                if word in found[-1]:
                    return found
        except Empty:
            self.process.kill()
            raise AssertionError((found, self.process.stderr.read())) from None

    def end(self):
        self.process.send_signal(signal.SIGINT)
        said = self.process.stderr.read()
        return self.process.wait(20), said


@pytest.fixture
def watching(root):
    started = []

    def start(*options):
        started.append(Watching(root, *options))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()
        one.process.stdout.close()
        one.process.stderr.close()


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_session(root, watching):
    session = watching()
    assert session.until(" passed")[-1].startswith("10 cases: 10 passed")
    time.sleep(0.5)  # the parser is brought while nobody waits
    edit(root / "models/marts/orders.sql", "coalesce(p.amount, 0)", "coalesce(p.amount, 7)")
    told = session.until("models/marts/orders.sql: 3 cases: 2 passed, 1 failed")
    assert any("an order that nobody paid is worth nothing" in t for t in told)
    assert any("0.00 → 7.00" in t for t in told)
    assert told[-1].endswith("; 7 not reached")
    edit(root / "models/marts/customers.sql", "count(*) AS", "count(*) + 1 AS")
    told = session.until("models/marts/customers.sql: 4 cases")
    assert any(t.startswith("still marts.orders: an order that nobody paid is worth nothing") for t in told)
    assert told[-1].endswith("; 6 not reached; 1 still failing")
    edit(root / "xde.yaml", "name", "nam")
    assert session.until("xde.yaml: ")[-1].endswith("and no case was run")
    code, said = session.end()
    assert code == 0
    assert "error[XDE01" in said
    assert "Traceback" not in said


def test_a_session_for_a_machine(root, watching):
    session = watching("--json", "marts.orders")
    first = json.loads(session.until("{")[-1])
    assert (first["saved"], len(first["cases"]), first["of"], first["passed"]) == ([], 3, 3, True)
    edit(root / "tests/orders.yaml", "{order_id: 1, amount: 1}", "{order_id: 1, amount: 2}")
    second = json.loads(session.until("{")[-1])
    assert (second["saved"], [c["status"] for c in second["cases"]], second["passed"]) == (["tests/orders.yaml"], ["failed"], False)
    assert session.end() == (0, "")


@pytest.mark.slow
def test_ctrl_c_in_the_middle_of_a_run_is_a_cancellation(root, watching):
    (root / "models/marts/slow.sql").write_text("SELECT sum(hash(a.range) % 7) AS n FROM range(20000000) AS a, range(1000) AS b\n")
    (root / "tests/slow.yaml").write_text("model: marts.slow\ncases: [{name: slow, expect: []}]\n")
    session = watching("slow", "--json")
    time.sleep(3)
    code, said = session.end()
    assert code == 130
    assert said.endswith("cancelled; nothing half done was published\n")


def test_what_is_no_project_ends_at_once(tmp_path):
    (tmp_path / "empty").mkdir()
    session = Watching(tmp_path / "empty")
    assert session.process.wait(20) == 1
    assert "XDE0001" in session.process.stderr.read()
    session.process.stdout.close()
    session.process.stderr.close()
