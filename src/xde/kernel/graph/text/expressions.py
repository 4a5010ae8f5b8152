"""From the syntax tree of an expression to its term."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from xde.kernel.graph.text.functions import AGGREGATES, NAME_THEIR_ARGUMENTS, SPREADING, TAKE_LAMBDAS
from xde.kernel.graph.text.terms import Bound, Columns, Context, Labelled, Name, Nested, Op, Star, UnclearError, Word

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from xde.kernel.graph.text.terms import Query, Term

WRAPPERS = (exp.IgnoreNulls, exp.RespectNulls, exp.Filter, exp.WithinGroup)
STRANGERS = (exp.Table, exp.From, exp.Join, exp.Pivot, exp.DDL, exp.Command, exp.PositionalColumn, exp.Aliases, exp.Lateral, exp.CTE)

_NOT_IN_FRAME = frozenset({"this", "alias", "over"})


def name_of(identifier: exp.Expr) -> tuple[str, int]:
    """The text of an identifier, and where it begins."""
    return identifier.name, int(identifier.meta.get("start", -1))


class ExpressionReader:
    """Reads the expressions of one SELECT; `aggregates` counts the aggregate calls met, nested queries left out."""

    def __init__(self, nested: Callable[[exp.Expr], Query], windows: Mapping[str, exp.Window]) -> None:
        self._nested = nested
        self._windows = windows
        self._lambdas: list[tuple[str, ...]] = []
        self.aggregates = 0
        self.every: list[Columns] = []

    def term(self, node: exp.Expr) -> Term:  # noqa: C901, PLR0912 - one case a kind of node
        """The term of an expression. Raises `UnclearError` for what has none."""
        match node:
            case exp.Column():
                return self._column(node)
            case exp.Paren():
                return self.term(node.this)
            case exp.Literal():
                return Op(f"text {node.this}" if node.is_string else f"number {node.this}")
            case exp.Placeholder() | exp.Parameter():
                return Op(f"parameter {node.name.lower()}")
            case exp.DataType():
                return Op(f"type {_type(node)}")
            case exp.Identifier() | exp.Var():
                return self._word(node)
            case exp.Exists():
                return Op("exists", (Nested(self._nested(node.this), rows_only=True),))
            case exp.Query() | exp.Values():
                return Nested(self._nested(node))
            case exp.Star():
                return self.star(node, ())
            case exp.Columns():
                return self._columns(node)
            case exp.Window():
                return self._window(node)
            case exp.Lambda():
                return self._lambda(node, taken=False)
            case exp.Comprehension():
                return self._comprehension(node)
            case exp.Dot():
                return self._dot(node)
            case exp.Count() if isinstance(node.this, exp.Star) and not any(node.this.args.values()):
                return self._aggregate(Op("Count()"))
            case exp.And() | exp.Or() | exp.Add() | exp.Mul() | exp.DPipe():
                return self._chain(node)
            case _ if isinstance(node, STRANGERS):
                raise UnclearError
            case _:
                return self._call(node)

    def _call(self, node: exp.Expr) -> Term:
        name = _function_name(node)
        op = self._generic(node, name)
        if isinstance(node, (exp.Explode, exp.Unnest, exp.UDTF)) or name in SPREADING:
            return Context("spread", op)
        if is_aggregate(node):
            return self._aggregate(op)
        return op

    def _chain(self, node: exp.Binary) -> Op:
        """`a AND b AND c` and the like, flat however long they are."""
        return Op(type(node).__name__, tuple(self.term(e) for e in node.flatten()))

    def _aggregate(self, op: Op) -> Term:
        self.aggregates += 1
        return Context("aggregate", op)

    def _generic(self, node: exp.Expr, name: str, skipped: frozenset[str] = frozenset()) -> Op:
        words: list[str] = [type(node).__name__ if name == "" or not isinstance(node, exp.Anonymous) else f"{name}()"]
        kids: list[Term] = []
        for key in sorted(node.args):
            value = node.args[key]
            if value is None or value is False or value == [] or key in skipped or (key == "this" and isinstance(node, exp.Anonymous)):
                continue
            if isinstance(value, exp.Expr):
                words.append(key)
                kids.append(self._argument(node, name, key, value))
            elif isinstance(value, list):
                words.append(f"{key}:{len(value)}")
                kids += [self._argument(node, name, key, item) if isinstance(item, exp.Expr) else Op(f"= {item}") for item in value]
            else:
                words.append(f"{key}={value}")
        return Op(" ".join(words), tuple(kids))

    def _argument(self, node: exp.Expr, name: str, key: str, value: exp.Expr) -> Term:
        if _is_label(node, key, value):
            return Op(f"label {value.name.lower()}")
        if isinstance(value, exp.Lambda):
            return self._lambda(value, taken=name in TAKE_LAMBDAS)
        if isinstance(value, exp.Alias):
            return Labelled(value.alias, self.term(value.this))
        term = self.term(value)
        if name in NAME_THEIR_ARGUMENTS and isinstance(value, (exp.Column, exp.Dot)):
            return Labelled(value.name, term)
        return term

    def _column(self, node: exp.Column) -> Term:
        if isinstance(node.this, exp.Star):
            return self.star(node.this, tuple(p.name for p in node.parts[:-1]))
        parts = [name_of(p) for p in node.parts]
        bound = self._bound(parts[0][0])
        if bound is not None:
            return _fields(bound, [p for p, _ in parts[1:]])
        return Name(tuple(p for p, _ in parts), tuple(s for _, s in parts))

    def _word(self, node: exp.Expr) -> Term:
        return self._bound(node.name) or Word(node.name)

    def _bound(self, name: str) -> Bound | None:
        for depth, names in enumerate(reversed(self._lambdas)):
            if name.lower() in names:
                return Bound(depth, names.index(name.lower()))
        return None

    def _dot(self, node: exp.Dot) -> Term:
        """A field of a value (`f(x).a`), or a method called on it (`x.lower()`)."""
        on = node.this
        base = self.term(on)
        if isinstance(base, Word):
            base = Name((on.name,), (name_of(on)[1],))
        if isinstance(node.expression, exp.Identifier):
            return _fields(base, [node.expression.name])
        return Op("method", (base, self.term(node.expression)))

    def _lambda(self, node: exp.Lambda, *, taken: bool) -> Term:
        names = tuple(e.name.lower() for e in node.expressions)
        if not taken:
            left = tuple(Name((e.name,), (name_of(e)[1],)) for e in node.expressions)
            return Op(f"-> {len(left)}", (*left, self.term(node.this)))
        self._lambdas.append(names)
        body = self.term(node.this)
        self._lambdas.pop()
        return Op(f"lambda {len(names)}", (body,))

    def _comprehension(self, node: exp.Comprehension) -> Term:
        if set(_given(node)) - {"this", "expression", "iterator", "condition", "position"}:
            raise UnclearError
        iterator = self.term(node.args["iterator"])
        bound = [node.expression, *([node.args["position"]] if node.args.get("position") else [])]
        self._lambdas.append(tuple(b.name.lower() for b in bound))
        kids = [iterator, self.term(node.this)]
        if node.args.get("condition") is not None:
            kids.append(self.term(node.args["condition"]))
        self._lambdas.pop()
        return Op("comprehension", tuple(kids))

    def _window(self, node: exp.Window) -> Term:
        function = self._windowed(node.this)
        return Context("window", Op("window", (function, *self._frame(node, depth=0))))

    def _windowed(self, node: exp.Expr) -> Term:
        """The function of a window, which is no aggregate of its own SELECT."""
        if isinstance(node, WRAPPERS):
            kids = [self._windowed(node.this), *([self.term(node.expression)] if node.args.get("expression") else [])]
            return Op(type(node).__name__, tuple(kids))
        if isinstance(node, exp.Count) and isinstance(node.this, exp.Star):
            return Op("Count()")
        return self._generic(node, _function_name(node))

    def _frame(self, node: exp.Window, depth: int) -> list[Term]:
        """What stands in an OVER clause; a named window is put in the place of its name."""
        frame: list[Term] = [self._generic(node, "", _NOT_IN_FRAME)]
        alias = node.args.get("alias")
        if alias is not None:
            named = self._windows.get(alias.name.lower())
            if named is None or depth > len(self._windows):
                raise UnclearError
            frame += self._frame(named, depth + 1)
        return frame

    def star(self, node: exp.Star, table: tuple[str, ...]) -> Star:
        """`*` with all that may stand behind it."""
        if set(_given(node)) - {"except_", "replace", "rename"}:
            raise UnclearError
        exclude = tuple(e.name for e in node.args.get("except_") or [])
        replace = tuple((e.alias, self.term(e.this)) for e in node.args.get("replace") or [])
        rename = tuple((e.this.name, e.alias) for e in node.args.get("rename") or [])
        return Star(table, exclude, replace, rename)

    def _columns(self, node: exp.Columns) -> Term:
        found = self._selector(node.this, unpack=bool(node.args.get("unpack")))
        if not found.unpack:
            self.every.append(found)
        return found

    def _selector(self, inner: exp.Expr, *, unpack: bool) -> Columns:
        match inner:
            case exp.Literal() if inner.is_string:
                return Columns(regex=inner.this, unpack=unpack)
            case exp.Star():
                return Columns(star=self.star(inner, ()), unpack=unpack)
            case exp.Column() if isinstance(inner.this, exp.Star):
                return Columns(star=self.star(inner.this, tuple(p.name for p in inner.parts[:-1])), unpack=unpack)
            case exp.Array() if all(e.is_string for e in inner.expressions):
                return Columns(names=tuple(e.name for e in inner.expressions), unpack=unpack)
            case _:
                raise UnclearError


def is_aggregate(node: exp.Expr) -> bool:
    """Whether a call, outside a window, makes one value of many rows."""
    return isinstance(node, exp.AggFunc) or (isinstance(node, exp.Anonymous) and node.name.lower() in AGGREGATES)


def _function_name(node: exp.Expr) -> str:
    if isinstance(node, exp.Anonymous):
        return node.name.lower()
    return type(node).__name__.lower() if isinstance(node, exp.Func) else ""


def _given(node: exp.Expr) -> list[str]:
    return [key for key, value in node.args.items() if value]


def _type(node: exp.DataType) -> str:
    return node.sql(dialect="duckdb") if node.expressions or node.args.get("kind") else str(node.this)


def _fields(base: Term, names: list[str]) -> Term:
    for name in names:
        base = Op(f"field {name.lower()}", (base,))
    return base


def _is_label(node: exp.Expr, key: str, value: exp.Expr) -> bool:
    """Whether a word is fixed by the grammar and can be no column: a field's name, a unit, a collation."""
    if not isinstance(value, (exp.Identifier, exp.Var)):
        return False
    match node:
        case exp.PropertyEQ() | exp.Kwarg() | exp.Extract() | exp.Alias():
            return key != "expression"
        case exp.Interval() | exp.IntervalSpan():
            return True
        case exp.Collate():
            return key == "expression"
        case exp.Column() | exp.TableSample():
            return True
        case _:
            return key == "unit"
