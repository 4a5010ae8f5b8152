"""Real servers of brokers on free loopback ports, and a plant whose machines tell their readings over them."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from projects.contracts import source
from projects.ports import free_port
from xde.app.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROPERTIES = """\
      - {name: id, logicalType: integer, required: true}
      - {name: device, logicalType: string}
      - {name: heat, logicalType: number, physicalType: "DECIMAL(30,10)"}
"""
OFFSET = "      - {name: at, physicalName: $offset, logicalType: string}\n"


@dataclass
class Server:
    """A server program: `words` are its command line."""

    home: Path
    port: int
    words: Callable[[Server], list[str]]
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(self.words(self), cwd=self.home, stdout=log, stderr=subprocess.STDOUT)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.process.poll() is None, (self.home / "log").read_text()
            time.sleep(0.02)
        raise AssertionError((self.home / "log").read_text())

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(20)

    def restart(self, how: signal.Signals = signal.SIGTERM) -> None:
        self.stop(how)
        self.start()


def program(name: str) -> str | None:
    """Where a server program is, if it is there."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")


@contextmanager
def serving(home: Path, words: Callable[[Server], list[str]]) -> Iterator[Server]:
    server = Server(home, free_port(), words)
    server.start()
    try:
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.process.kill()
            server.process.wait()


@dataclass
class Plant:
    """A project whose one source is a stream."""

    root: Path
    server: str  # the lines of the contract that say which server it is

    def contract(self, stream: str = "", properties: str = PROPERTIES, words: str = "", name: str = "readings") -> None:
        custom = ", ".join(w for w in (f"{{property: xdeStream, value: {{{stream}}}}}", words) if w)
        body = f"  - name: readings\n    physicalName: {name}\n    customProperties: [{custom}]\n    properties:\n{properties}"
        (self.root / "sources").mkdir(parents=True, exist_ok=True)
        (self.root / "xde.yaml").write_text("name: plant\nretries: 0\n")
        whole = source(body).partition("servers:")[0] + f"servers:\n{self.server}schema:\n{body}"
        (self.root / "sources/plant.yaml").write_text(whole)

    def run(self, **how):
        with Workspace.open(self.root) as workspace:
            finished = workspace.run(**how)
        return {o.step.dataset: o for o in finished.outcomes}

    def loaded(self, **how):
        """The outcome of a run that has to go well."""
        outcome = self.run(**how)["plant.readings"]
        assert outcome.status == "done", outcome
        return outcome

    def codes(self, **how):
        return [f.code for o in self.run(**how).values() for f in o.findings]

    def rows(self, *columns):
        with Workspace.open(self.root) as workspace:
            found = workspace.show("plant.readings", limit=None).read_all().to_pylist()
        return sorted((tuple(r[c] for c in columns or r) for r in found), key=str)

    def ids(self):
        return sorted(i for (i,) in self.rows("id"))

    def letters(self):
        with Workspace.open(self.root) as workspace:
            return [x.letter for x in workspace.letters(status="open")]

    def doctor(self):
        with Workspace.open(self.root) as workspace:
            return next(d for d in workspace.doctor() if d.subject == "source plant.readings")

    def commits(self):
        return len(list(self.root.glob(".xde/lake/plant/readings/*/_delta_log/*.json")))


def reading(number: int) -> str:
    """What a machine says."""
    return f'{{"id": {number}, "device": "m{number % 7}", "heat": {number}.5}}'
