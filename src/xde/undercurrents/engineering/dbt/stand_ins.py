"""What stands in for objects of dbt: they say what can be said without a warehouse, and of the rest that a person must decide it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from xde.undercurrents.engineering.dbt import borrowed
from xde.undercurrents.engineering.dbt.templates import Undecided, Wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from xde.undercurrents.engineering.dbt.templates import Room
    from xde.undercurrents.engineering.dbt.world import Seen, World

INSTEAD = "write what it gives into the text, or as a column or parameter"
_MISSING = object()


class Target:
    """`target`: what it says is kept, and that it was asked."""

    def __init__(self, known: Mapping[str, object], seen: Seen) -> None:
        self._known = known
        self._seen = seen

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._known:
            raise Undecided(f"the template reads `target.{name}`, which is of a warehouse", INSTEAD)
        question = f"the template reads `target.{name}`, which is taken to be `{self._known[name]}`"
        if question not in self._seen.questions:
            self._seen.questions.append(question)
        return self._known[name]

    def get(self, name: str, default: object = None) -> object:
        """As of a mapping."""
        return getattr(self, name) if name in self._known else default


class Config:
    """`config(...)`: takes what is said, and is no text."""

    def __init__(self, seen: Seen, known: Mapping[str, object]) -> None:
        self._seen = seen
        self._known = known

    def __call__(self, *words: object, **named: object) -> str:
        for word in words:
            if isinstance(word, dict):
                self._seen.config |= {str(k): v for k, v in word.items()}
        self._seen.config |= named
        return ""

    def get(self, name: str, default: object = None, **_: object) -> object:
        """What is configured."""
        return self._seen.config.get(name, self._known.get(name, default))

    def require(self, name: str, **_: object) -> object:
        """What is configured."""
        found = self.get(name, _MISSING)
        if found is _MISSING:
            raise Wrong("XDE0173", f"the model must say `{name}` in its config", hint=f"add `config({name}=...)`")
        return found


class Names:
    """A namespace of macros: a package's, dbt's own, or one that nobody has."""

    def __init__(self, name: str, find: Callable[[str], object | None], missing: str) -> None:
        self._name = name
        self._find = find
        self._missing = missing

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._find(name)
        if found is None:
            raise Undecided(f"`{self._name}.{name}` {self._missing}", "write in SQL what it gives")
        return found


class Adapter:
    """`adapter`: it dispatches macros (for DuckDB, whatever the project was written for), quotes names, and knows no warehouse."""

    def __init__(self, world: World, room: Room, target: Target) -> None:
        self._world = world
        self._room = room
        self._target = target

    def dispatch(self, macro_name: str, macro_namespace: str | None = None, **_: object) -> object:
        """The macro for this kind of warehouse, else the one for all."""
        for package in dict.fromkeys((self._world.project, macro_namespace or self._world.project)):
            for prefix in ("duckdb", "default"):
                found = self._room.macro(package, f"{prefix}__{macro_name}")
                if found is not None:
                    return found
        known = {"dbt": borrowed.dbt, "dbt_utils": borrowed.dbt_utils}.get(macro_namespace or "")
        found = known(macro_name) if known else None
        if found is None:
            raise Undecided(f"there is no `default__{macro_name}` to dispatch to", "write in SQL what it gives")
        return found

    def quote(self, identifier: object) -> str:
        """A name in quotes."""
        return '"' + str(identifier).replace('"', '""') + '"'

    def type(self) -> object:
        """The kind of warehouse."""
        return self._target.type

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        raise Undecided(f"`adapter.{name}` asks the warehouse", INSTEAD)


class Refusing:
    """A name that only a warehouse has an answer for: whatever is done with it says so."""

    def __init__(self, name: str, why: str) -> None:
        self._name = name
        self._why = why

    def _refuse(self) -> NoReturn:
        raise Undecided(f"`{self._name}` {self._why}", INSTEAD)

    def __call__(self, *_: object, **__: object) -> NoReturn:
        self._refuse()

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        self._refuse()

    def __str__(self) -> str:
        self._refuse()

    def __iter__(self) -> NoReturn:
        self._refuse()


class Exceptions:
    """`exceptions`: what a project says when it refuses something itself."""

    def raise_compiler_error(self, message: object = "", *_: object) -> NoReturn:
        """The project's own complaint."""
        raise Undecided(f"a macro refuses: {str(message).strip()[:200]}", "mend what it complains of")

    def warn(self, *_: object) -> str:
        """Nothing."""
        return ""

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.raise_compiler_error
