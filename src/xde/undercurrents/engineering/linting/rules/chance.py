"""Functions whose value is another one in every run, and samples without a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.undercurrents.engineering.linting.words import Remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.undercurrents.engineering.linting.subject import Subject

RULE = "non-deterministic"
_CLOCKS = (exp.CurrentTimestamp, exp.CurrentDate, exp.CurrentTime, exp.CurrentDatetime, exp.Localtimestamp, exp.Localtime)
_CLOCK_NAMES = frozenset({"now", "get_current_timestamp", "transaction_timestamp", "get_current_time", "current_localtime", "age"})
_RANDOM = (exp.Rand, exp.Randn, exp.Uuid)
_RANDOM_NAMES = frozenset({"gen_random_uuid", "uuidv4", "uuidv7", "nextval", "currval", "txid_current"})


def non_deterministic(subject: Subject) -> Iterator[Remark]:
    """A clock, a random number, a sample: what was computed once cannot be computed again."""
    for node in subject.tree.walk():
        name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
        if isinstance(node, _CLOCKS) or (name in _CLOCK_NAMES and not (name == "age" and len(node.expressions) > 1)):
            why = "a model that is built again, or filled for an earlier day, gives other rows, and no test can expect any"
            hint = "write `$today`, `$start` or `$end`: a run gives them their values"
            yield Remark(RULE, node, f"`{subject.model.name}` reads the clock", "the time of the run", why, hint)
        elif isinstance(node, _RANDOM) or name in _RANDOM_NAMES:
            why = "the same inputs give other rows each time"
            hint = "compute it from the row: `hash(...)`, or the flow `surrogate_key` for a key"
            yield Remark(RULE, node, f"`{subject.model.name}` takes a value by chance", "by chance", why, hint)
        elif isinstance(node, exp.TableSample) and node.args.get("seed") is None:
            why = "the same inputs give other rows each time"
            yield Remark(RULE, node, f"`{subject.model.name}` takes a sample without a seed", "no seed", why, "add `REPEATABLE (1)`")
