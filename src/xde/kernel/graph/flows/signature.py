"""A flow and its signature: read from a Python function, whose annotations say what each argument is."""

from __future__ import annotations

import inspect
from enum import StrEnum
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints, overload

from xde.kernel.graph.flows.kinds import Column, Columns, Expression, Interval, Name, Relation, Value, Values

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from xde.kernel.graph.flows.picture import Picture

    Makes = Callable[..., str]

Made = TypeVar("Made", bound="Callable[..., str]")


class ArgumentKind(StrEnum):
    """What an argument may be, in the words that users read."""

    RELATION = "a relation"
    COLUMN = "a column"
    COLUMNS = "one or more columns"
    EXPRESSION = "an expression"
    VALUE = "a constant or a parameter"
    VALUES = "one or more constants"
    INTERVAL = "an interval"
    NAME = "a new column's name"
    NUMBER = "a whole number"
    TRUTH = "true or false"
    WORD = "a word"


_BY_CLASS: dict[object, ArgumentKind] = {
    Relation: ArgumentKind.RELATION,
    Column: ArgumentKind.COLUMN,
    Columns: ArgumentKind.COLUMNS,
    Expression: ArgumentKind.EXPRESSION,
    Value: ArgumentKind.VALUE,
    Values: ArgumentKind.VALUES,
    Interval: ArgumentKind.INTERVAL,
    Name: ArgumentKind.NAME,
    int: ArgumentKind.NUMBER,
    bool: ArgumentKind.TRUTH,
}
KINDS = "`Relation`, `Column`, `Columns`, `Expression`, `Value`, `Values`, `Interval`, `Name`, `int`, `bool` or `Literal[...]`"
ANNOTATIONS = f"{KINDS}, or one with `| None`"


class Argument(NamedTuple):
    """One parameter of a flow; `words` are those that a word may be, `default` is what stands when it is not given."""

    name: str
    kind: ArgumentKind
    words: tuple[str, ...] = ()
    required: bool = True
    default: object = None
    by_position: bool = False
    many: bool = False
    help: str = ""


class Flow(NamedTuple):
    """A flow function: `makes` gives its SQL, with marks where the arguments go.

    `path` and `line` are where it is written (the path relative to the project for one of the project's own), `origin` who made it.
    """

    name: str
    arguments: tuple[Argument, ...]
    makes: Makes
    summary: str = ""
    notes: str = ""
    picture: Picture | None = None
    path: str = ""
    line: int = 1
    origin: str = ""

    def argument(self, name: str) -> Argument | None:
        """The parameter of a name."""
        return next((a for a in self.arguments if a.name == name.lower() and not a.many), None)

    @property
    def signature(self) -> str:
        """As in `dedupe(rows, key := one or more columns, newest := a column)`; what may be left out stands in brackets."""
        shown = []
        for a in self.arguments:
            kind = " | ".join(a.words) if a.words else a.kind.value
            text = f"{a.name}, ..." if a.many else a.name if a.by_position else f"{a.name} := {kind}"
            shown.append(text if a.required else f"[{text}]")
        return f"{self.name}({', '.join(shown)})"


class SignatureError(Exception):
    """A function that cannot be a flow; `function` and `argument` name what is wrong in it."""

    def __init__(self, message: str, why: str, hint: str, function: str, argument: str = "") -> None:
        super().__init__(message)
        self.message, self.why, self.hint, self.function, self.argument = message, why, hint, function, argument


_FLOW = "__xde_flow__"


@overload
def flow(function: Made) -> Made: ...
@overload
def flow(*, picture: Picture | None = None) -> Callable[[Made], Made]: ...
def flow(function: Made | None = None, *, picture: Picture | None = None) -> Made | Callable[[Made], Made]:
    """Make a flow of a function that takes relations, columns and constants by annotation and returns SQL.

    `picture` shows rows in and rows out; `xde flows NAME` prints it. What is wrong with the function is told when the project is read.
    """

    def mark(made: Made) -> Made:
        setattr(made, _FLOW, (picture,))
        return made

    return mark if function is None else mark(function)


def is_flow(value: object) -> bool:
    """Whether a function was decorated."""
    return callable(value) and hasattr(value, _FLOW)


def flow_of(function: Makes, path: str = "", origin: str = "") -> Flow:
    """The flow that a decorated function is. Raises `SignatureError`."""
    try:
        hints = get_type_hints(function)
    except (NameError, TypeError, AttributeError, SyntaxError) as error:
        msg = f"the annotations of the flow `{function.__name__}` cannot be read"
        raise SignatureError(
            msg, str(error), "import the kinds: `from xde.plugin.flows import Columns, Relation, flow`", function.__name__
        ) from error
    parameters = inspect.signature(function).parameters
    summary, _, rest = (inspect.getdoc(function) or "").partition("\n\n")
    helps, notes = _helps(rest, parameters)
    arguments = tuple(_argument(function, p, hints, helps) for p in parameters.values())
    (picture,) = getattr(function, _FLOW, (None,))
    line = function.__code__.co_firstlineno
    return Flow(function.__name__.lower(), arguments, function, " ".join(summary.split()), notes, picture, path, line, origin)


def _argument(function: Makes, parameter: inspect.Parameter, hints: dict[str, object], helps: dict[str, str]) -> Argument:
    name, at = parameter.name, (function.__name__, parameter.name)
    shown = f"the argument `{name}` of the flow `{function.__name__}`"
    if parameter.kind is parameter.VAR_KEYWORD:
        raise SignatureError(
            f"{shown} takes any name", "the names of arguments are checked", f"name each argument instead of `**{name}`", *at
        )
    if name not in hints:
        raise SignatureError(f"{shown} has no kind", "what is given is checked by its kind", f"annotate it with {ANNOTATIONS}", *at)
    optional, annotation = _without_none(hints[name])
    words: tuple[str, ...] = ()
    if get_origin(annotation) is Literal and all(isinstance(w, str) for w in get_args(annotation)):
        kind, words = ArgumentKind.WORD, get_args(annotation)
    else:
        found = _BY_CLASS.get(annotation)
        if found is None:
            why = f"it is `{parameter.annotation}`"
            raise SignatureError(f"{shown} has a kind that is not known", why, f"annotate it with {ANNOTATIONS}", *at)
        kind = found
    many = parameter.kind is parameter.VAR_POSITIONAL
    if many and kind is not ArgumentKind.RELATION:
        raise SignatureError(
            f"{shown} takes any number of values", "only relations can be many", f"annotate `*{name}` with `Relation`", *at
        )
    required = parameter.default is parameter.empty and not (optional and many)
    default = None if parameter.default is parameter.empty else parameter.default
    by_position = parameter.kind is not parameter.KEYWORD_ONLY
    return Argument(name.lower(), kind, words, required, default, by_position, many, helps.get(name, ""))


def _without_none(annotation: object) -> tuple[bool, object]:
    if get_origin(annotation) in (Union, UnionType):
        kinds = [a for a in get_args(annotation) if a is not NoneType]
        return len(kinds) < len(get_args(annotation)), kinds[0] if len(kinds) == 1 else annotation
    return False, annotation


def _helps(text: str, names: Container[str]) -> tuple[dict[str, str], str]:
    """The lines of a docstring that begin with the name of an argument and a colon, and the text without them."""
    found: dict[str, str] = {}
    rest: list[str] = []
    for line in text.splitlines():
        name, colon, said = line.partition(": ")
        if colon and name in names:
            found[name] = said.strip()
        else:
            rest.append(line)
    return found, "\n".join(rest).strip()
