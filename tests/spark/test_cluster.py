"""What only a cluster can show: an executor killed in mid-write, and a server of Spark Connect."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from examples import build, differences, name_it

from xde.app.workspace import Workspace
from xde.kernel.project.settings import EngineSettings

pytestmark = pytest.mark.spark

ROWS = 2500


@pytest.fixture
def pairs(tmp_path, spark_settings):
    """A project whose one model is long in writing."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "models" / "big").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "xde.yaml").write_text("name: pairs\n")
    name_it(tmp_path, spark_settings)
    (tmp_path / "data" / "numbers.csv").write_text("k\n" + "".join(f"{i}\n" for i in range(ROWS)))
    (tmp_path / "sources" / "raw.yaml").write_text(
        "apiVersion: v3.1.0\nkind: DataContract\nid: raw\nversion: 1.0.0\nstatus: active\n"
        "servers:\n  - {server: disk, type: local, path: data, format: csv}\n"
        "schema:\n  - name: numbers\n    physicalType: file\n    physicalName: numbers.csv\n"
        "    properties:\n      - {name: k, logicalType: integer, required: true}\n"
    )
    (tmp_path / "models" / "big" / "pairs.sql").write_text(
        "SELECT a.k AS one, b.k AS other, md5(md5(md5(CAST(a.k * 10000 + b.k AS VARCHAR)))) AS mark FROM raw.numbers AS a CROSS JOIN raw.numbers AS b\n"
    )
    return tmp_path


def commits(workspace: Workspace) -> list[tuple[int, int]]:
    """Of the model's table: commits, and rows."""
    lake = workspace.house.lake
    return [(len(lake.history(t)), lake.snapshot(t).rows) for t in lake.tables() if t.dataset == "big.pairs"]


def test_an_executor_killed_in_mid_write_leaves_one_commit_or_none(lab, cluster, pairs):
    killed = []

    def kill() -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end and not killed:
            if any(pairs.glob(".xde/lake/big/pairs/*/_making_spark_*/_temporary/*/_temporary/*/*.parquet")):
                victims = cluster.executors()
                if victims:
                    os.kill(victims[0], signal.SIGKILL)
                    killed.append(victims[0])
            time.sleep(0.02)

    killer = threading.Thread(target=kill)
    with Workspace.open(pairs) as workspace:
        killer.start()
        finished = workspace.run()
        killer.join()
        assert killed, "the write was over before an executor could be killed"
        assert commits(workspace) in ([], [(1, ROWS * ROWS)])
        if not commits(workspace):
            assert any(o.status == "failed" for o in finished.outcomes)
            workspace.run()
        assert commits(workspace) == [(1, ROWS * ROWS)]
        assert not list(pairs.glob(".xde/lake/big/pairs/*/_making_spark_*"))


def test_an_example_through_spark_connect(cluster, tmp_path):
    """In a process of its own: a process has one session."""
    pytest.importorskip("grpc", reason="the client of Spark Connect is not installed: pip install 'xde[spark]'")
    remote = EngineSettings("spark", remote=cluster.connect_server())
    one = build("jaffle_shop", tmp_path, None)
    script = f"from examples import build; from pathlib import Path; from xde.kernel.project.settings import EngineSettings; build('jaffle_shop', Path({str(tmp_path)!r}), EngineSettings('spark', remote={remote.remote!r}))"
    here = str(Path(__file__).parent)
    around = {**os.environ, "PYTHONPATH": os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])}
    done = subprocess.run([sys.executable, "-c", script], env=around, capture_output=True, text=True, timeout=240, check=False)
    cluster.end(cluster.processes.pop())
    assert done.returncode == 0, done.stderr[-3000:]
    assert differences(one, tmp_path / "jaffle_shop-spark") == []
