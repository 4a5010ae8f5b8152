"""Requirements of packages as a Python model names them (PEP 508: a name, extras, bounds of versions), and whether a version will do."""

from __future__ import annotations

import re
from typing import NamedTuple

_FORM = re.compile(
    r"\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?P<extras>\[[A-Za-z0-9._, -]*\])?\s*\(?(?P<bounds>[^;@()]*)\)?\s*\Z"
)
_BOUND = re.compile(r"\s*(~=|===|==|!=|<=|>=|<|>)\s*([A-Za-z0-9._+!*-]+)\s*\Z")
_VERSION = re.compile(
    r"v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)[._-]?(?:(?P<pre>a|alpha|b|beta|c|rc|pre|preview)[._-]?(?P<number>\d*))?"
    r"(?:[._-]?(?:post|rev|r)[._-]?(?P<post>\d*)|-(?P<dash>\d+))?(?:[._-]?dev[._-]?(?P<dev>\d*))?(?:\+[A-Za-z0-9._-]+)?\Z",
    re.IGNORECASE,
)
_PRE = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}


class Requirement(NamedTuple):
    """A package by its name, in lower case with `-`, and what must hold of its version."""

    name: str
    bounds: tuple[tuple[str, str], ...]

    def met_by(self, version: str) -> bool:
        """Whether a version is within all bounds; one of a form that nobody knows is in none."""
        return all(_holds(version, operator, wanted) for operator, wanted in self.bounds)


def requirement_of(text: str) -> Requirement | None:
    """The requirement that a text means; None for one of another form, with a marker or an address for instance."""
    found = _FORM.match(text)
    if found is None:
        return None
    parts = [p for p in found["bounds"].split(",") if p.strip()]
    bounds = [_BOUND.match(p) for p in parts]
    pairs = tuple((b[1], b[2]) for b in bounds if b is not None)
    if len(pairs) < len(parts) or any(_key(v.removesuffix(".*")) is None for _, v in pairs):
        return None
    if any(v.endswith(".*") and o not in {"==", "!="} for o, v in pairs):
        return None
    return Requirement(re.sub(r"[-_.]+", "-", found["name"]).lower(), pairs)


Key = tuple[int, tuple[int, ...], tuple[int, int], int, int]


def _key(text: str) -> Key | None:
    """Something to order versions by (PEP 440); without what is local to a machine."""
    found = _VERSION.match(text.strip())
    if found is None:
        return None
    release = [int(n) for n in found["release"].split(".")]
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    late = (1 << 30) if found["dev"] is None else int(found["dev"] or 0)
    if found["pre"]:
        before = (_PRE[found["pre"].lower()], int(found["number"] or 0))
    else:
        plain_dev = found["dev"] is not None and found["post"] is None and found["dash"] is None
        before = (-1, 0) if plain_dev else (3, 0)
    after = found["post"] if found["post"] is not None else found["dash"]
    return int(found["epoch"] or 0), tuple(release), before, -1 if after is None else int(after or 0), late


def _holds(version: str, operator: str, wanted: str) -> bool:
    has, bound = _key(version), _key(wanted.removesuffix(".*"))
    if has is None or bound is None:
        return False
    match operator:
        case "==" | "!=" if wanted.endswith(".*"):
            return _begins(has, wanted.removesuffix(".*")) is (operator == "==")
        case "==" | "===":
            return has == bound
        case "!=":
            return has != bound
        case ">=":
            return has >= bound
        case "<=":
            return has <= bound
        case ">":
            return has > bound and not (has[:2] == bound[:2] and has[3] > bound[3] == -1)  # 1.0.post1 is not later than 1.0 here
        case "<":
            return has < bound and not (has[:2] == bound[:2] and bound[2] == (3, 0))  # 1.0rc1 is not earlier than 1.0 here
        case _:  # ~= 1.4.2 is >= 1.4.2 and == 1.4.*
            return has >= bound and _begins(has, wanted.rpartition(".")[0] or wanted)


def _begins(has: Key, start: str) -> bool:
    wanted = [int(n) for n in re.findall(r"\d+", start.split("!")[-1])]
    padded = [*has[1], *[0] * len(wanted)]
    epoch = int(start.split("!")[0].lstrip("v")) if "!" in start else 0
    return has[0] == epoch and padded[: len(wanted)] == wanted
