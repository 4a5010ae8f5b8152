"""Whether a row comes by an expression at all: an inner CASE is only asked where the outer one leads to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from xde.undercurrents.engineering.coverage.scopes import is_aggregate, written


@dataclass(slots=True)
class Way:
    """The way from a SELECT down to an expression in it.

    `clause` is the argument of the SELECT in which it stands; `guards` are conditions that decide whether a row comes by;
    `obstacle` says why the way cannot be followed.
    """

    clause: str = ""
    guards: list[exp.Expr] = field(default_factory=list)
    in_aggregate: bool = False
    in_window: bool = False
    obstacle: str = ""
    _around: list[tuple[str, str]] = field(default_factory=list)

    def around(self, expression: str) -> str:
        """An expression with NULL in its place where a row does not come by."""
        for before, after in self._around:
            expression = f"{before}{expression}{after}"
        return expression

    def wrap(self, before: str, after: str, *guards: exp.Expr) -> None:
        """One more condition around what there is."""
        self._around.append((before, after))
        self.guards += guards


def reached(node: exp.Expr, select: exp.Select) -> Way:
    """The way to a node of a SELECT."""
    way = Way()
    child = node
    while (above := child.parent) is not None and above is not select:
        if isinstance(above, (exp.Lambda, exp.Comprehension)):
            way.obstacle = "it runs for each element of a list"
        elif isinstance(above, exp.Window):
            way.in_window = True
        elif is_aggregate(above):
            _enter_aggregate(above, way)
        elif isinstance(above, exp.Filter) and child.arg_key == "expression":
            way.in_aggregate = True
        elif not way.in_aggregate:
            _guard(child, above, way)
        child = above
    way.clause = child.arg_key or ""
    if way.clause in {"from_", "joins"}:
        way.obstacle = way.obstacle or "it stands in the condition of a join, which sees pairs of rows"
    return way


def _enter_aggregate(above: exp.Expr, way: Way) -> None:
    if way.in_aggregate:
        return
    way.in_aggregate = True
    around = above.parent
    if isinstance(around, exp.Filter) and isinstance(around.expression, exp.Where):
        way.wrap(f"CASE WHEN {written(around.expression.this)} THEN ", " END", around.expression.this)


def _guard(child: exp.Expr, above: exp.Expr, way: Way) -> None:
    match above:
        case exp.If():
            _arm(child, above, way)
        case exp.Case() if child.arg_key == "default":
            _otherwise(above, above.args["ifs"], way)
        case exp.Coalesce() if child.arg_key == "expressions":
            before = [above.this, *above.expressions[: child.index or 0]]
            nothing = ", ".join(written(b) for b in before)
            way.wrap(f"CASE WHEN coalesce({nothing}) IS NULL THEN ", " END", *before)
        case _:
            return


def _arm(child: exp.Expr, arm: exp.If, way: Way) -> None:
    """An arm of a CASE, or an IF that stands by itself."""
    case = arm.parent if isinstance(arm.parent, exp.Case) else None
    earlier = case.args["ifs"][: arm.index or 0] if case is not None else []
    match child.arg_key:
        case "this":
            _otherwise(case, earlier, way)
        case "true":
            way.wrap(f"{_skipping(case, earlier)} WHEN {written(arm.this)} THEN ", " END", *(a.this for a in earlier), arm.this)
        case _:
            way.wrap(f"CASE WHEN {written(arm.this)} THEN NULL ELSE ", " END", arm.this)


def _otherwise(case: exp.Case | None, earlier: list[exp.If], way: Way) -> None:
    if earlier:
        way.wrap(f"{_skipping(case, earlier)} ELSE ", " END", *(a.this for a in earlier))


def _skipping(case: exp.Case | None, earlier: list[exp.If]) -> str:
    operand = f" {written(case.this)}" if case is not None and case.this is not None else ""
    return f"CASE{operand}" + "".join(f" WHEN {written(a.this)} THEN NULL" for a in earlier)
