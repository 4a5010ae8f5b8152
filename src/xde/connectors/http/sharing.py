"""What the loads of one run share: the pace of requests to a server, and answers that several datasets are made of."""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from xde.connectors.http.calls import Answer, Call, Send
from xde.connectors.http.retrying import Throttle
from xde.ground.digests import digest
from xde.ground.memory_folder import nowhere
from xde.kernel.run.owners import this_owner

if TYPE_CHECKING:
    from xde.lifecycle.sources.tables import Ask

KNOWN_BY = "table-"  # how the folders of loads are called: what a killed process leaves is taken away with theirs


class Sharing:
    """Kept for as long as one run, or one question, takes; `folder` is where answers lie meanwhile.

    `throttles` outlive it: what follows at once, such as a run after its plan, goes on at the same pace.
    """

    def __init__(self, folder: Path, throttles: dict[tuple[str, float | None], Throttle] | None = None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._throttles = throttles if throttles is not None else {}
        self._families: dict[str, Family] = {}
        self._made: Path | None = None

    def throttle(self, location: str, a_second: float | None) -> Throttle:
        """The one throttle of a server."""
        with self._lock:
            return self._throttles.setdefault((location, a_second), Throttle(a_second))

    def family(self, ask: Ask) -> Family:
        """The datasets that are made of the same answers."""
        with self._lock:
            found = self._families.get(ask.asked.root)
            if found is None:
                room = self._in_memory() if ask.private else self._room() / str(len(self._families))
                found = self._families[ask.asked.root] = Family(room)
            return found

    def _in_memory(self) -> Path:
        """Where answers lie that may be on no disk."""
        kept = ExitStack()
        weakref.finalize(self, kept.close)
        return kept.enter_context(nowhere())

    def _room(self) -> Path:
        if self._made is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._made = Path(tempfile.mkdtemp(prefix=KNOWN_BY, dir=self._folder))
            (self._made / "owner").write_text(str(this_owner()))
            weakref.finalize(self, shutil.rmtree, self._made, ignore_errors=True)
        return self._made


class Family:
    """Answers by what was asked. One dataset is read at a time, so that those after it find all answers there."""

    def __init__(self, folder: Path) -> None:
        self.lock = threading.Lock()
        self._folder = folder
        self._known: dict[str, Answer] = {}

    def through(self, send: Send) -> Send:
        """The same way to send, that asks nothing twice."""

        def asked(call: Call) -> Answer:
            key = digest(call.method, call.url, [list(h) for h in call.headers], (call.body or b"").hex())
            path = self._folder / key
            known = self._known.get(key)
            if known is not None:
                return Answer(known.status, known.headers, path.read_bytes(), known.framed)
            answer = send(call)
            self._folder.mkdir(exist_ok=True)
            path.write_bytes(answer.body)
            self._known[key] = Answer(answer.status, answer.headers, b"", answer.framed)
            return answer

        return asked
