"""A real cluster on loopback: a master and two workers, each a process, from the programs that pyspark brings."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pyspark
from projects.ports import free_port

FAST = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
OPTIONS = {
    "spark.cores.max": "2",  # of four: a server of Spark Connect has its own two
    "spark.executor.cores": "1",
    "spark.executor.memory": "1g",
    "spark.executor.extraJavaOptions": FAST,
    "spark.driver.extraJavaOptions": FAST,
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
    "spark.locality.wait": "0s",
}


def listening(port: int, process: subprocess.Popen[bytes], seconds: float = 90.0) -> None:
    """Wait until somebody listens at a port."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the process at port {port} ended with {process.returncode}")
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
            return
        time.sleep(0.2)
    raise RuntimeError(f"nobody listens at port {port}")


@dataclass
class Cluster:
    """Master and workers; every process is in the list, and is ended at the close."""

    folder: Path
    port: int = 0
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def master(self) -> str:
        return f"spark://127.0.0.1:{self.port}"

    def start(self) -> None:
        """The master, then two workers of two cores."""
        self.port = free_port()
        web = free_port()
        master = self._run("master.Master", "--host", "127.0.0.1", "--port", str(self.port), "--webui-port", str(web))
        listening(self.port, master)
        for _ in range(2):
            port = free_port()
            worker = self._run(
                "worker.Worker",
                "--host",
                "127.0.0.1",
                "--port",
                str(port),
                "--cores",
                "2",
                "--memory",
                "2g",
                "--webui-port",
                str(free_port()),
                self.master,
            )
            self.workers.append(worker)
            listening(port, worker)

    def connect_server(self) -> str:
        """A Spark Connect server on the cluster; gives its address."""
        port = free_port()
        settings = {
            **OPTIONS,
            "spark.ui.enabled": "false",
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": str(port),
        }
        words = [w for n, v in settings.items() if n != "spark.driver.extraJavaOptions" for w in ("--conf", f"{n}={v}")]
        name = "org.apache.spark.sql.connect.service.SparkConnectServer"
        command = ["spark-submit", "--master", self.master, "--class", name, "--driver-memory", "1g", "--driver-java-options", FAST, *words]
        server = self._started(command, {})
        listening(port, server)
        return f"sc://127.0.0.1:{port}"

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """End one process, and those that it has started."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(15)

    def executors(self) -> list[int]:
        """The processes that compute."""
        return [c for w in self.workers for c in children(w.pid) if "CoarseGrainedExecutorBackend" in command_of(c)]

    def close(self) -> None:
        """End all, the youngest first."""
        for process in reversed(self.processes):
            self.end(process)

    def _run(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        own = {"SPARK_DAEMON_MEMORY": "256m", "SPARK_DAEMON_JAVA_OPTS": FAST}
        return self._started(["spark-class", f"org.apache.spark.deploy.{name}", *words], own)

    def _started(self, command: list[str], own: dict[str, str]) -> subprocess.Popen[bytes]:
        home = Path(pyspark.__file__).parent
        around = {
            **os.environ,
            **own,
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_NO_DAEMONIZE": "1",
            "PYSPARK_PYTHON": sys.executable,
            "SPARK_WORKER_DIR": str(self.folder / "work"),
            "SPARK_LOCAL_DIRS": str(self.folder / "local"),
        }
        with (self.folder / f"{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [str(home / "bin" / command[0]), *command[1:]],
                env=around,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self.processes.append(process)
        return process


def children(parent: int) -> list[int]:
    """The processes that a process has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                    found.append(int(entry.name))
    return found


def command_of(process: int) -> str:
    """The words that a process was started with."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""
