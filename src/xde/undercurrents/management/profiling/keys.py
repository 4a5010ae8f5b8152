"""Which columns tell all rows apart: searched from small sets to larger, decided by exact counts, ranked by what a key is made of."""

from __future__ import annotations

import re
from itertools import combinations
from math import prod
from operator import itemgetter
from typing import TYPE_CHECKING

from xde.undercurrents.management.profiling.facts import Key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from xde.undercurrents.management.profiling.facts import ColumnFacts
    from xde.undercurrents.management.profiling.port import Rows

LARGEST = 4
MEMBERS = 14
ASKED = 600
"""At most so many sets are counted over all rows."""
NEAR = 0.999
FEW = 1_000
"""Below so many rows much is different by accident."""
_NAMED = re.compile(r"(^|_)(id|key|code|no|nr|num|number|uuid|guid|sku|isbn|iban|ref|tailnum|faa|iata|icao)$|(Id|ID|Key|Code|No)$")
_MEASURE = re.compile(
    r"(amount|price|cost|total|sum|qty|quantity|rate|percent|ratio|score|distance|duration|delay|length|width|height|weight|size|"
    r"balance|salary|lat|lon|latitude|longitude|temp|speed|seats|minute|second)s?$",
    re.IGNORECASE,
)
_MOMENT = re.compile(r"(date|time|day|hour|month|year|_at|_on|_ts|timestamp)$", re.IGNORECASE)


def candidate_keys(rows: Rows, facts: Sequence[ColumnFacts]) -> tuple[tuple[Key, ...], tuple[tuple[str, ...], int] | None]:
    """The keys of the least number of columns, the likeliest first; and, where there is none, what is one but for a few rows."""
    total, sampled = rows.count, rows.looked_at < rows.count
    if total < 2:
        return (), None
    scores = {f.name: score(f) + 0.5 * (i == 0) for i, f in enumerate(facts)}
    members = sorted((f for f in facts if _may_be(f)), key=lambda f: scores[f.name], reverse=True)[:MEMBERS]
    sizes = {f.name: max(f.distinct, 1) for f in members}
    near: tuple[tuple[str, ...], int] | None = None
    asked = 0
    for width in range(1, min(LARGEST, len(members)) + 1):
        found: list[Key] = []
        for columns in _sets([f.name for f in members], width, sizes, rows, facts):
            asked += 1
            if asked > ASKED:
                break
            different = rows.distinct(columns)
            if different == total and (not sampled or rows.complete(columns) == total):
                found.append(Key(columns, mean_score(columns, scores)))
            elif different >= NEAR * total and (near is None or mean_score(columns, scores) > mean_score(near[0], scores)):
                near = (columns, total - different)
        if found:
            return _best(found, total), near
    return (), near


def score(facts: ColumnFacts) -> float:
    """How much a column looks like a part of a key: by name, type and place; 0 is nothing."""
    points = 1.0
    if _NAMED.search(facts.name):
        points += 4 if facts.name.casefold() in {"id", "uuid", "key"} else 3
    elif _MEASURE.search(facts.name):
        points -= 2
    if facts.is_text:
        points += 1.5 if facts.lengths and facts.lengths[1] <= 40 else -1
    elif facts.is_time:
        points += 1
    elif _MOMENT.search(facts.name):
        points += 0.25
    return points


def mean_score(columns: Iterable[str], scores: Mapping[str, float]) -> float:
    """The score of a set of columns."""
    given = [scores[c] for c in columns]
    return sum(given) / len(given)


def _may_be(facts: ColumnFacts) -> bool:
    """What is missing or constant, a fraction or nested is no part of a key."""
    plain = facts.is_text or facts.is_whole or facts.is_time or facts.type == "UUID"
    return plain and not facts.missing and facts.distinct > 1


def _sets(
    names: Sequence[str], width: int, sizes: Mapping[str, int], rows: Rows, facts: Sequence[ColumnFacts]
) -> Iterable[tuple[str, ...]]:
    """The sets that a look at some rows leaves: enough different values, and no two of the rows alike."""
    order = {f.name: i for i, f in enumerate(facts)}
    possible = [c for c in combinations(names, width) if prod(sizes[n] for n in c) * (rows.count / max(rows.looked_at, 1)) >= rows.count]
    if width == 1:
        possible = [c for c in possible if sizes[c[0]] >= NEAR * rows.looked_at]
    if not possible:
        return []
    some = rows.codes(names, 20_000)
    place = {n: i for i, n in enumerate(names)}
    kept = []
    for columns in possible:
        if _differ(some, [place[c] for c in columns]):
            kept.append(tuple(sorted(columns, key=order.__getitem__)))
    return kept


def _differ(some: Sequence[tuple[int | None, ...]], at: Sequence[int]) -> bool:
    """Whether hardly two rows are alike at some places; given up as soon as it is plain."""
    take = itemgetter(*at)
    again, most = 0, (1 - NEAR) * len(some)
    seen: set[object] = set()
    for row in some:
        found = take(row)
        if found in seen:
            again += 1
            if again > most:
                return False
        seen.add(found)
    return True


def _best(found: Sequence[Key], total: int) -> tuple[Key, ...]:
    """The likeliest, and those that are nearly as likely; of few rows many sets are keys by accident, so that only a good one counts."""
    ranked = sorted(found, key=lambda k: -k.score)
    if ranked[0].score < 1.0 and total < FEW:
        return ()
    reach = 0.4 if len(ranked[0].columns) > 1 else 0.6 if total < FEW else 2.1
    return tuple(k for k in ranked if k.score >= max(ranked[0].score - reach, 0.5))[:3]
