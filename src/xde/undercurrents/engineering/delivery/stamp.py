"""The first lines of a file that we made: what it was made with, and a digest by which we see that nobody has changed it since."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

_STAMP = re.compile(r"# made by `(?P<maker>xde [a-z ]+)`; digest (?P<digest>[0-9a-f]{16})\n# with (?P<wishes>\{.*\})\n")


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who made a file and with what; `untouched` when every other byte of it is as it was made."""

    maker: str
    wishes: Mapping[str, object]
    untouched: bool


def stamped(maker: str, wishes: Mapping[str, object], body: str) -> str:
    """A file's text with its stamp: `maker` is a command, `wishes` what it was told."""
    told = json.dumps(wishes, sort_keys=True)
    return f"# made by `{maker}`; digest {digest(maker, told, body)}\n# with {told}\n{body}"


def read_stamp(text: str) -> Stamp | None:
    """The stamp of a text; None for one that we did not make. Line ends of Windows are no change."""
    text = text.replace("\r\n", "\n")
    found = _STAMP.match(text)
    if found is None:
        return None
    untouched = found["digest"] == digest(found["maker"], found["wishes"], text[found.end() :])
    try:
        wishes = json.loads(found["wishes"])
    except ValueError:
        return Stamp(found["maker"], {}, untouched=False)
    return Stamp(found["maker"], wishes, untouched)
