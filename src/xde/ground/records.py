"""Dataclasses that are cheap to define: their methods are shared, and an `__init__` is written when it is first called.

A command begins by defining a hundred of them and then makes things of thirty. The standard library compiles six methods for
each, which takes as long as reading a project of 1,000 models back. To a type checker this is `dataclasses.dataclass` itself.
"""

from __future__ import annotations

from dataclasses import MISSING, Field, FrozenInstanceError, fields
from operator import attrgetter, ge, gt, le, lt
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass
else:
    from dataclasses import dataclass as _standard

    def dataclass(cls: type | None = None, /, *, frozen: bool = False, slots: bool = False, order: bool = False) -> Any:  # noqa: ANN401 - as the standard one
        """As the standard one, with equality; an `InitVar` is not known here."""

        def wrap(cls: type) -> type:
            made = _standard(cls, init=False, repr=False, eq=False, slots=slots)
            _equip(made, frozen=frozen, slots=slots)
            if order:
                _rank(made)
            return made

        return wrap if cls is None else wrap(cls)


def _equip(cls: type, *, frozen: bool, slots: bool) -> None:
    own = fields(cls)
    value = _value_of([f.name for f in own if f.compare])
    names = [f.name for f in own]
    methods: dict[str, object] = {"__init__": _first_init(cls, frozen=frozen), "__repr__": _repr, "__eq__": _equality(value)}
    if frozen:
        hashed = _value_of([f.name for f in own if (f.compare if f.hash is None else f.hash)])
        methods |= {"__setattr__": _no_set, "__delattr__": _no_delete, "__hash__": lambda self: hash(hashed(self))}
        if slots:
            methods |= {"__getstate__": _keeping(names), "__setstate__": _bringing_back(names)}
    for name, method in methods.items():
        if name not in cls.__dict__ or (name == "__hash__" and cls.__dict__[name] is None):
            setattr(cls, name, method)
    if not frozen and "__hash__" not in cls.__dict__:
        cls.__hash__ = None  # type: ignore[assignment]  # what can change has no place in a set


def _rank(cls: type) -> None:
    value = _value_of([f.name for f in fields(cls) if f.compare])
    for name, holds in (("__lt__", lt), ("__le__", le), ("__gt__", gt), ("__ge__", ge)):
        setattr(cls, name, _comparison(value, holds))


def _comparison(value: Callable[[Any], Any], holds: Callable[[Any, Any], bool]) -> Callable[[Any, object], bool]:
    def compared(self: object, other: object) -> bool:
        return holds(value(self), value(other)) if other.__class__ is self.__class__ else NotImplemented

    return compared


def _value_of(names: list[str]) -> Callable[[Any], object]:
    return attrgetter(*names) if names else lambda _: ()


def _equality(value: Callable[[Any], object]) -> Callable[[Any, object], bool]:
    def equal(self: object, other: object) -> bool:
        return value(self) == value(other) if other.__class__ is self.__class__ else NotImplemented

    return equal


@recursive_repr("...")
def _repr(self: Any) -> str:  # noqa: ANN401 - a record of any class
    shown = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr)
    return f"{self.__class__.__qualname__}({shown})"


def _no_set(self: object, name: str, value: object) -> None:  # noqa: ARG001 - Python's own shape
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _no_delete(self: object, name: str) -> None:  # noqa: ARG001 - Python's own shape
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _keeping(names: list[str]) -> Callable[[object], list[object]]:
    return lambda self: [getattr(self, n) for n in names]


def _bringing_back(names: list[str]) -> Callable[[object, list[object]], None]:
    def set_state(self: object, state: list[object], put: Callable[[object, str, object], None] = object.__setattr__) -> None:
        for name, value in zip(names, state, strict=True):
            put(self, name, value)

    return set_state


def _first_init(cls: type, *, frozen: bool) -> Callable[..., None]:
    def init(self: object, *values: object, **named: object) -> None:
        made = _init(cls, frozen=frozen)
        cls.__init__ = made  # type: ignore[misc]  # in the place of this one
        made(self, *values, **named)

    return init


def _init(cls: type, *, frozen: bool) -> Callable[..., None]:
    """Python's own words for `self.a = a` and so on, as fast as if they had been written by hand."""
    space: dict[str, Any] = {"_set": object.__setattr__, "_missing": MISSING}
    plain: list[str] = []
    named: list[str] = []
    body: list[str] = []
    for field in fields(cls):
        parameter, value = _parameter(field, space)
        if field.init:
            (named if field.kw_only else plain).append(parameter)
        if value:
            body.append(f"_set(self, {field.name!r}, {value})" if frozen else f"self.{field.name} = {value}")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    head = ", ".join(["self", *plain, *(["*", *named] if named else [])])
    exec(f"def __init__({head}):\n " + "\n ".join(body or ["pass"]), space)  # noqa: S102 - of names of fields, as the standard library does
    made: Callable[..., None] = space["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _parameter(field: Field[Any], space: dict[str, Any]) -> tuple[str, str]:
    """A field as a parameter, and the value that it gets."""
    name = field.name
    if field.default_factory is not MISSING:
        space[f"_make_{name}"] = field.default_factory
        made = f"_make_{name}()"
        return f"{name}=_missing", f"{made} if {name} is _missing else {name}" if field.init else made
    if field.default is not MISSING:
        space[f"_default_{name}"] = field.default
        return f"{name}=_default_{name}", name if field.init else f"_default_{name}"
    return name, name if field.init else ""
