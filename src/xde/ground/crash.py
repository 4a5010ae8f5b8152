"""Named crash points: one stands in every change of state, so that a test can kill us exactly there.

`XDE_CRASH_AT=point` kills the process (`SIGKILL`) the first time it passes the point, `point:3` the third time.
"""

from __future__ import annotations

import os
import signal
from enum import StrEnum


class CrashPoint(StrEnum):
    """Every place at which a crash is tested; a test walks over all of them."""

    RUN_STARTED = "run.started"
    STEP_STARTED = "step.started"
    PAGE_READ = "page.read"
    LOAD_STAGED = "load.staged"
    FILES_WRITTEN = "files.written"
    LETTERS_WRITTEN = "letters.written"
    HISTORY_PLACED = "history.placed"
    ARRANGED = "arranged"
    AUDITED = "audited"
    BEFORE_COMMIT = "commit.before"
    AFTER_COMMIT = "commit.after"
    POINTER_MOVED = "pointer.moved"
    STEP_RECORDED = "step.recorded"
    RUN_RECORDED = "run.recorded"
    CLEAN_LISTED = "clean.listed"
    BEFORE_SWITCH = "switch.before"
    SWITCHED = "switch.after"
    DROP_ASIDE = "drop.aside"
    READ_NOTED = "read.noted"
    READS_COUNTED = "reads.counted"
    PROJECT_WRITTEN = "project.written"
    PUSH_WRITTEN = "push.written"
    PUSH_DURABLE = "push.durable"
    SEGMENT_DELIVERED = "segment.delivered"
    EVENTS_READ = "events.read"
    MESSAGE_KEPT = "message.kept"
    SLOT_MADE = "slot.made"
    CHANGES_READ = "changes.read"
    SLOT_BEHIND = "slot.behind"
    SLOT_ADVANCED = "slot.advanced"
    SLOT_DROPPED = "slot.dropped"


_wanted, _, _nth = os.environ.get("XDE_CRASH_AT", "").partition(":")
_left = int(_nth) if _nth.isdigit() else 1


def crash_point(point: CrashPoint) -> None:
    """Do nothing, or die at once when this is the point the environment names."""
    global _left
    if point == _wanted:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
