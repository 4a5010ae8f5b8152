"""Which process holds a claim, in a text that another process can check: whether it still lives, on this machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from xde.ground.records import dataclass

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Owner:
    """A process; its number alone says little, for numbers are given again.

    `boot` names the start of the machine and the namespace of process numbers, `started` the moment of the process's own
    start in clock ticks after it; both are empty where the system does not tell.
    """

    host: str
    pid: int
    boot: str
    started: str

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}:{self.boot}/{self.started}"

    @property
    def is_dead(self) -> bool:
        """Whether the process surely lives no more; False for one that we cannot see."""
        here = _boot()
        if not here or self.boot != here or self.host != socket.gethostname():
            return False
        return _started(self.pid) != self.started


def this_owner() -> Owner:
    """The present process."""
    pid = os.getpid()
    return Owner(socket.gethostname(), pid, _boot(), _started(pid))


def parse_owner(text: str) -> Owner | None:
    """An owner from its text; None when it is none of ours."""
    host, _, rest = text.partition(":")
    pid, _, rest = rest.partition(":")
    boot, slash, started = rest.partition("/")
    return Owner(host, int(pid), boot, started) if slash and pid.isdecimal() else None


def _boot() -> str:
    """Empty unless both parts are known: a machine has several name spaces, and each counts its processes for itself."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}.{(_PROC / 'self/ns/pid').readlink().name.strip('pid:[]')}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Field 22 of `/proc/PID/stat` (proc(5)); empty when there is no such process, or only its unburied remains."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()  # the name before may hold blanks and brackets; the first field after it is the third
    return "" if fields[0] in {"Z", "X"} else fields[19]
