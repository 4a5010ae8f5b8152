"""The rules, a file for each family of them; their order is that of the list that `docs/concepts/linting.md` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.undercurrents.engineering.linting.rules.casts import implicit_cast
from xde.undercurrents.engineering.linting.rules.chance import non_deterministic
from xde.undercurrents.engineering.linting.rules.ctes import unused_cte
from xde.undercurrents.engineering.linting.rules.edges import star_at_edge
from xde.undercurrents.engineering.linting.rules.fanning import fan_out
from xde.undercurrents.engineering.linting.rules.naming import unqualified_column
from xde.undercurrents.engineering.linting.rules.nulls import compare_null, not_in_nullable
from xde.undercurrents.engineering.linting.rules.order import unordered
from xde.undercurrents.engineering.linting.rules.outer_joins import outer_join_undone
from xde.undercurrents.engineering.linting.rules.positions import group_by_position, union_out_of_order
from xde.undercurrents.engineering.linting.rules.ranges import date_range_end
from xde.undercurrents.engineering.linting.rules.zones import time_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xde.undercurrents.engineering.linting.subject import Subject
    from xde.undercurrents.engineering.linting.words import Remark

ALL: tuple[Callable[[Subject], Iterator[Remark]], ...] = (
    fan_out,
    star_at_edge,
    unqualified_column,
    implicit_cast,
    non_deterministic,
    time_zone,
    not_in_nullable,
    outer_join_undone,
    unused_cte,
    compare_null,
    unordered,
    union_out_of_order,
    date_range_end,
    group_by_position,
)
