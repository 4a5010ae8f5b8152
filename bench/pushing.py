"""The door of `xde up` under load: requests and events a second that it answers for, each on the disk before it is answered.

    python bench/pushing.py                 # every way, five seconds each
    python bench/pushing.py --seconds 30    # longer, so that there are landings in between

The server has one core and the clients another (where the system can pin them). A way is a form of body, events a request, and connections;
`shared` lets requests share a sync of the disk, as `xde up` does; `alone` gives each its own; `none` does not sync at all, to show what
the disk costs. At the end the server is stopped, and the rows in the table must be the events that were answered for. `bare` is no xde: the
same server appends a body to a file, syncs it and answers, and looks at nothing. See `push` in docs/budgets.md.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONTRACT = """
apiVersion: v3.0.2
kind: DataContract
id: shop
version: 1.0.0
status: active
servers:
  - {server: door, type: custom, customProperties: [{property: xdePush, value: {commit: {every: 10 s}, limits: {spoolBytes: 8000000000}}}]}
schema:
  - name: events
    properties:
      - {name: id, logicalType: integer, required: true}
      - {name: at, logicalType: timestamp}
      - {name: what, logicalType: string, enum: [{value: sale}, {value: visit}]}
      - {name: customer, logicalType: string}
      - {name: amount, logicalType: number}
"""
WAYS = [("json", 1, 64), ("ndjson", 100, 16), ("ndjson", 1000, 8)]


@dataclass
class Connection:
    """One client: it sends a request when it has the answer to the one before."""

    socket: socket.socket
    sent: float = 0.0
    found: bytes = b""


def request(events: int, form: str, number: int) -> bytes:
    lines = [
        json.dumps(
            {"id": number * events + n, "at": "2026-03-01T12:30:00", "what": "sale", "customer": f"c{n % 97:05d}", "amount": n * 1.25}
        )
        for n in range(events)
    ]
    body = "\n".join(lines).encode()
    kind = "application/json" if form == "json" else "application/x-ndjson"
    return b"POST /push/shop.events HTTP/1.1\r\nHost: x\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (
        kind.encode(),
        len(body),
        body,
    )


def load(port: int, way: tuple[str, int, int], seconds: float) -> dict[str, float]:
    """Requests for a while; what was answered, and how long each took."""
    form, events, connections = way
    bodies = [request(events, form, n) for n in range(50)]
    chosen, took, failed = selectors.DefaultSelector(), [], 0
    for number in range(connections):
        one = Connection(socket.create_connection(("127.0.0.1", port)))
        chosen.register(one.socket, selectors.EVENT_READ, one)
        one.sent = time.perf_counter()
        one.socket.sendall(bodies[number % 50])
    begun = time.perf_counter()
    end, under_way = begun + seconds, connections
    while under_way:
        for key, _ in chosen.select():
            one = key.data
            one.found += one.socket.recv(1 << 16)
            if not one.found.endswith(b"]}"):
                continue
            now = time.perf_counter()
            took.append(now - one.sent)
            failed += not one.found.startswith(b"HTTP/1.1 200")
            one.found = b""
            if now < end:
                one.sent = now
                one.socket.sendall(bodies[len(took) % 50])
            else:
                chosen.unregister(one.socket)
                one.socket.close()
                under_way -= 1
    wall = time.perf_counter() - begun
    took.sort()
    return {
        "requests": len(took),
        "failed": failed,
        "per_second": len(took) / wall,
        "p50": took[len(took) // 2] * 1000,
        "p99": took[len(took) * 99 // 100] * 1000,
    }


def serve(root: str, sync: str) -> None:
    """The server, with syncs as they are asked for."""
    from xde.app.landing import Lander, Where
    from xde.app.receiving import close_doors, open_doors
    from xde.app.workspace import Workspace
    from xde.connectors.spool import journal
    from xde.faces.web.pushing import Pushing
    from xde.faces.web.server import Place, listening
    from xde.faces.web.server import serve as serve_until_stopped
    from xde.ground.clock import SystemClock

    if sync == "none":
        journal.sync = lambda _: None
    with Workspace.open(Path(root)) as workspace:
        doors = open_doors(workspace.house, workspace.known, group=1 if sync == "alone" else 1_000_000)
    lander = Lander(Where(Path(root), None), doors, SystemClock(), lambda found: print(found, file=sys.stderr) if not found.well else None)
    lander.start()
    listener = listening(Place(port=0))
    serve_until_stopped(Pushing(doors, lander), listener, lambda: print(listener.getsockname()[1], flush=True))
    lander.stop()
    lander.land()
    close_doors(doors)


def serve_bare(root: str) -> None:
    """The same server with what reads a body and keeps it, and nothing else."""
    import uvicorn

    from xde.faces.web.server import Place, listening

    kept = os.open(f"{root}/kept", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    answer = b'{"refused": []}'
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]

    async def keep(_: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        for line in body.split(b"\n"):
            json.loads(line)
        os.write(kept, body)
        os.fsync(kept)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    listener = listening(Place(port=0))
    server = uvicorn.Server(uvicorn.Config(keep, lifespan="off", log_config=None, access_log=False, server_header=False))
    print(listener.getsockname()[1], flush=True)
    server.run(sockets=[listener])


def spent(process: int) -> float:
    """The CPU seconds that a process has used so far, where the system tells."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rows(root: Path) -> int:
    from xde.app.workspace import Workspace

    with Workspace.open(root) as workspace:
        return next(line.rows or 0 for line in workspace.datasets())


@dataclass(frozen=True)
class Told:
    """What was answered, what it cost the server from its first request to its end, and the rows that are there."""

    answers: dict[str, float]
    cpu: float
    rows: int

    @property
    def cpu_each(self) -> float:
        """The server's CPU seconds for a request."""
        return self.cpu / self.answers["requests"]


def measured(sync: str, way: tuple[str, int, int], seconds: float) -> Told:
    """A server under load for a while; every event that was answered for must be there."""
    pinned = hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1
    cores = sorted(os.sched_getaffinity(0)) if pinned else []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "sources").mkdir()
        (root / "xde.yaml").write_text("name: bench\n")
        (root / "sources" / "shop.yaml").write_text(CONTRACT)
        command = [sys.executable, __file__, "--serve", folder, "--sync", sync]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if pinned:
            os.sched_setaffinity(server.pid, {cores[0]})
            os.sched_setaffinity(0, {cores[1]})
        assert server.stdout is not None
        port = int(server.stdout.readline())
        before = spent(server.pid)
        told = load(port, way, seconds)
        server.send_signal(signal.SIGTERM)
        _, _, used = os.wait4(server.pid, 0)
        if pinned:
            os.sched_setaffinity(0, set(cores))
        answered = int(told["requests"] - told["failed"]) * way[1]
        there = rows(root) if sync != "bare" else answered
    if there != answered or told["failed"]:
        sys.exit(f"{answered:,} were answered for, {there:,} landed, {told['failed']} requests failed")
    return Told(told, used.ru_utime + used.ru_stime - before, there)


def measure(sync: str, way: tuple[str, int, int], seconds: float) -> None:
    """Print a line of it."""
    found = measured(sync, way, seconds)
    form, events, connections = way
    told = found.answers
    print(
        f"{sync:7} {form:7} {events:5} events/request {connections:3} connections: {told['per_second']:8,.0f} requests/s "
        f"{told['per_second'] * events:9,.0f} events/s  p50 {told['p50']:7.1f} ms  p99 {told['p99']:7.1f} ms  "
        f"server {found.cpu_each * 1e6:8,.0f} CPU-us a request  {found.rows:,} rows landed",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--sync", choices=("shared", "alone", "none", "bare"))
    given = parser.parse_args()
    if given.serve and given.sync == "bare":
        serve_bare(given.serve)
    elif given.serve:
        serve(given.serve, given.sync)
    else:
        for sync in [given.sync] if given.sync else ("shared", "alone", "none", "bare"):
            for way in WAYS:
                measure(sync, way, given.seconds)
