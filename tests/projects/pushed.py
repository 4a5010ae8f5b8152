"""A project that is pushed to, and `xde up` on it as a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from xde.app.workspace import Workspace

CONTRACT = """
apiVersion: v3.0.2
kind: DataContract
id: shop
version: 1.0.0
status: active
servers:
  - server: door
    type: custom
    customProperties:
      - property: xdePush
        value: {push}
schema:
  - name: events
    properties:
      - {{name: id, logicalType: integer, required: true}}
      - {{name: at, logicalType: timestamp}}
      - {{name: what, logicalType: string, enum: [{{value: sale}}, {{value: visit}}]}}
      - {{name: amount, logicalType: number, logicalTypeOptions: {{minimum: 0}}}}
"""
DATASET = "shop.events"
KEY = "a-key-of-the-shop-0123456789"


def make(root: Path, push: str = "{commit: {every: 1 s}}", more: str = "") -> Path:
    """The folder of a project."""
    (root / "sources").mkdir(parents=True)
    (root / "xde.yaml").write_text("name: pushed\n")
    (root / "sources" / "shop.yaml").write_text(CONTRACT.format(push=push) + more)
    return root


class Up:
    """`xde up`, running; `port` 0 takes a free one. `begin` is what runs it, `sh` for a shell that sets limits first."""

    def __init__(self, root: Path, port: int = 0, env: dict[str, str] | None = None, limits: str = "") -> None:
        command = [sys.executable, "-m", "xde.faces.cli.main", "--project", str(root), "up", "--port", str(port)]
        if limits:
            command = ["sh", "-c", f'{limits}; exec "$@"', "sh", *command]
        told = {**os.environ, **(env or {})}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=told)
        self.said: list[str] = []
        self.hearing = threading.Thread(target=self._hear, daemon=True)
        self.hearing.start()
        first = self.process.stdout.readline()
        if not first:
            self.kill()
            raise RuntimeError("".join(self.said))
        self.port = int(first.split("/push")[0].rpartition(":")[2])

    def _hear(self) -> None:
        with self.process.stderr:
            self.said.extend(self.process.stderr)

    def ask(self, method: str, path: str, body=None, **headers: str):
        """Status, headers and JSON of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
            found = connection.getresponse()
            told = found.read()
            return found.status, dict(found.getheaders()), json.loads(told) if told else None
        finally:
            connection.close()

    def push(self, body, kind: str = "application/json", dataset: str = DATASET, **headers: str):
        """Push a body; what is no bytes is made JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", f"/push/{dataset}", content, Content_Type=kind, **headers)

    def kill(self) -> None:
        """As the power of the process alone would fail."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.hearing.join()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """As somebody stops it who means well."""
        self.process.send_signal(number)
        try:
            code = self.process.wait(60)
        finally:
            self.kill()
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.stop()


def landed(root: Path, columns: tuple[str, ...] = ("id",)) -> list:
    """What is in the table, by what is in the lake."""
    with Workspace.open(root) as workspace:
        rows = workspace.show(DATASET, columns=columns, limit=None).read_all().to_pylist()
    return sorted((r[columns[0]] if len(columns) == 1 else tuple(r.values())) for r in rows)


def letters(root: Path) -> list:
    """The dead letters."""
    with Workspace.open(root) as workspace:
        return list(workspace.letters(DATASET))
