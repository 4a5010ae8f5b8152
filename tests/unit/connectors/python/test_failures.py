"""Whatever a function does wrong is a finding with its place, and nothing is left of the call."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from xde.ground.errors import UserError
from xde.ground.secrets import hide

BATCHES = "from collections.abc import Iterator\nimport pyarrow as pa\n@model\ndef m() -> Iterator[pa.RecordBatch]:\n"
TABLE = "import pyarrow as pa\n@model\ndef m() -> pa.Table:\n"
FRAME = "import pandas as pd\n@model\ndef m() -> pd.DataFrame:\n"

WRONG = {
    "raises": (TABLE + "    print('so far')\n    raise ValueError('no luck')", "XDE0270", "models/a/m.py:7", "ValueError: no luck"),
    "raises half way": (
        BATCHES + "    yield pa.record_batch({'x': [1]})\n    raise KeyError('later')",
        "XDE0270",
        "models/a/m.py:8",
        "KeyError: 'later'",
    ),
    "raises when it is imported": (
        "import pyarrow as pa\nprint(1 / 0)\n@model\ndef m() -> pa.Table: ...",
        "XDE0270",
        "models/a/m.py:4",
        "ZeroDiv",
    ),
    "imports what is not there": (TABLE + "    import nowhere_to_be_found", "XDE0270", "models/a/m.py:6", "nowhere_to_be_found"),
    "exits": (TABLE + "    import sys\n    sys.exit(3)", "XDE0273", "models/a/m.py:7", "sys.exit"),
    "exits hard": (TABLE + "    import os\n    os._exit(3)", "XDE0273", "models/a/m.py:5", "ended with 3"),
    "crashes": (TABLE + "    import ctypes\n    ctypes.string_at(0)", "XDE0273", "models/a/m.py:7", "SIGSEGV"),
    "is killed": (TABLE + "    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)", "XDE0273", "models/a/m.py:5", "SIGKILL"),
    "kills its group": (TABLE + "    import os, signal\n    os.killpg(0, signal.SIGKILL)", "XDE0273", "models/a/m.py:5", "SIGKILL"),
    "gives nothing": (TABLE + "    pass", "XDE0274", "models/a/m.py:5", "`None` and not `pyarrow.Table`"),
    "gives another type": (TABLE + "    return [1]", "XDE0274", "models/a/m.py:5", "`list`"),
    "gives tables for batches": (BATCHES + "    yield pa.table({'x': [1]})", "XDE0274", "models/a/m.py:6", "`pyarrow.Table`"),
    "gives too little": (TABLE + "    return pa.table({'y': [1]}).select([])", "XDE0275", "models/a/m.py:5", "did not give `x`"),
    "gives too much": (TABLE + "    return pa.table({'x': [1], 'y': [1]})", "XDE0275", "models/a/m.py:5", "`y`, which nobody expects"),
    "gives one twice": (TABLE + "    return pa.table([[1], [1]], names=['x', 'x'])", "XDE0275", "models/a/m.py:5", "twice"),
    "gives too much of too little": (TABLE + "    return pa.table({'x': [1.5]})", "XDE0276", "models/a/m.py:5", "`x` of `a.m` is `double`"),
    "gives text for a number": (TABLE + "    return pa.table({'x': ['1']})", "XDE0276", "models/a/m.py:5", "`BIGINT` exactly"),
    "mixes what a column holds": (FRAME + "    return pd.DataFrame({'x': [1, 'a']})", "XDE0276", "models/a/m.py:5", "`object`"),
    "names columns by numbers": (FRAME + "    return pd.DataFrame({0: [1]})", "XDE0275", "models/a/m.py:5", "`0`"),
}


@pytest.mark.parametrize(
    "what", [w if w in {"raises", "crashes", "gives too much"} else pytest.param(w, marks=pytest.mark.slow) for w in WRONG]
)
def test_what_goes_wrong_is_told_with_its_place(bench, what: str) -> None:
    text, code, place, words = WRONG[what]
    found = bench.fails(text)
    assert (found.code, str(found.span).rpartition(":")[0]) == (code, place)
    assert words in found.message + found.why
    assert "xde/connectors" not in found.message + found.why
    if what == "raises":
        assert "so far" in found.why


def test_the_line_is_that_of_the_projects_own_file_that_is_innermost(bench_of) -> None:
    bench = bench_of(library={"lib/deep.py": "import json\ndef read(text):\n    return json.loads(text)\n"})
    found = bench.fails("import pyarrow as pa\nfrom lib.deep import read\n@model\ndef m() -> pa.Table:\n    return read('{')\n")
    assert (found.code, found.span.path, found.span.line) == ("XDE0270", "lib/deep.py", 3)


def test_secrets_are_not_told(bench) -> None:
    hide("correct horse battery")
    found = bench.fails(TABLE + "    print('my correct horse battery')\n    raise ValueError('correct horse battery staple')")
    assert "correct horse" not in found.message + found.why


def test_two_gigabytes_under_a_limit_of_one(bench_of) -> None:
    found = bench_of(memory="1GB").fails(TABLE + "    x = bytearray(2_000_000_000)\n    return pa.table({'x': [len(x)]})")
    assert (found.code, found.span.line) == ("XDE0271", 6)
    assert "1 GB" in found.message


@pytest.mark.slow
def test_memory_that_grows_in_pieces_or_in_processes_of_its_own_is_seen(bench_of) -> None:
    bench = bench_of(memory="500MB")
    grows = TABLE + "    kept = []\n    while True:\n        kept.append(bytearray(1_000_000))\n"
    assert bench.fails(grows).code == "XDE0271"
    each = "import sys, time; x = bytes(250_000_000).replace(bytes(1), bytes([1])); time.sleep(30)"
    child = (
        TABLE
        + f"    import subprocess, sys\n    for p in [subprocess.Popen([sys.executable, '-c', {each!r}]) for _ in range(3)]:\n        p.wait()\n"
    )
    assert bench.fails(child).code == "XDE0271"


@pytest.mark.slow
@pytest.mark.parametrize(
    "body",
    [
        "    import polars as pl\n    pl.int_range(600_000_000, eager=True).to_frame().to_arrow()\n",
        "    import numpy as np\n    np.ones(300_000_000).sum()\n",
    ],
)
def test_compiled_libraries_that_get_no_memory_are_told_like_others(bench_of, body: str) -> None:
    assert bench_of(memory="1GB").fails(TABLE + body).code == "XDE0271"


def test_what_takes_too_long_is_ended(bench_of) -> None:
    found = bench_of(timeout="1 second").fails(TABLE + "    import time\n    time.sleep(60)")
    assert found.code == "XDE0272"


@pytest.mark.slow
def test_what_never_stops_writing_is_ended(bench) -> None:
    assert bench.fails(TABLE + "    while True:\n        print('x' * 10_000)").code == "XDE0277"


@pytest.mark.slow
def test_a_call_that_is_cancelled_ends_at_once_with_all_that_it_started(bench, tmp_path: Path) -> None:
    import threading

    told = tmp_path / "pids"
    text = TABLE + (
        "    import os, subprocess, time\n    other = subprocess.Popen(['sleep', '60'])\n"
        f"    open({str(told)!r}, 'w').write(f'{{os.getpid()}} {{other.pid}}')\n    time.sleep(60)"
    )

    def cancel() -> None:
        while not (told.exists() and len(told.read_text().split()) == 2):
            time.sleep(0.05)
        bench.functions.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        bench.call(text, {"x": "BIGINT"})
    thread.join()
    assert not any(map(lives, map(int, told.read_text().split())))


def test_a_function_ends_with_its_parent_even_one_that_is_killed(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from conftest import Bench
        text = "import pyarrow as pa\\n@model\\ndef m() -> pa.Table:\\n    import os, time\\n"
        text += "    open({str(told)!r}, 'w').write(str(os.getpid()))\\n    while True: pass\\n"
        Bench(Path({str(tmp_path)!r})).call(text, {{"x": "BIGINT"}})
        """)
    )
    parent = subprocess.Popen([sys.executable, str(script)], env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)})
    try:
        for _ in range(400):
            if told.exists() and told.read_text():
                break
            time.sleep(0.05)
        child = int(told.read_text())
        assert lives(child)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        for _ in range(100):
            if not lives(child):
                return
            time.sleep(0.05)
        raise AssertionError(f"{child} lives")
    finally:
        parent.kill()
        parent.wait()


def lives(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.slow
def test_a_second_call_after_a_failure_is_as_good_as_the_first(bench) -> None:
    with pytest.raises(UserError):
        bench.call(TABLE + "    raise ValueError", {"x": "BIGINT"})
    assert bench.call(TABLE + "    return pa.table({'x': [1]})", {"x": "BIGINT"}) == [(1,)]
