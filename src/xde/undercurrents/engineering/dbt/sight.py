"""What a template of dbt sees by name: `ref`, `source`, `config`, `var` and the rest; what only a warehouse can answer says so."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import dataclass, field
from hashlib import md5
from typing import TYPE_CHECKING, NoReturn

from xde.ground.names import did_you_mean
from xde.undercurrents.engineering.dbt import borrowed
from xde.undercurrents.engineering.dbt.templates import Returned, Room, Undecided, Wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from xde.undercurrents.engineering.dbt.templates import Templates

_MISSING = object()
_WAREHOUSE = {
    "run_query": "asks the warehouse while the text is made",
    "statement": "asks the warehouse while the text is made",
    "load_result": "asks the warehouse while the text is made",
    "load_relation": "asks the warehouse what is there",
    "graph": "reads the whole project as dbt knows it",
    "run_started_at": "is another in every run",
    "invocation_id": "is another in every run",
    "selected_resources": "is another in every run",
    "flags": "reads how dbt was called",
    "dbt_metadata_envs": "reads the environment of the process",
    "store_result": "asks the warehouse while the text is made",
    "database_schemas": "asks the warehouse what is there",
}
_INSTEAD = "write what it gives into the text, or as a column or parameter"


@dataclass(frozen=True, slots=True)
class Relation:
    """A dataset as templates see it; its text is the name by which xde knows it."""

    dataset: str
    model: str
    own: bool = False

    def __str__(self) -> str:
        if self.own:
            raise Undecided("the model reads itself outside of `is_incremental()`", "say in SQL what of earlier rows it needs, or `kind: history`")
        return self.dataset

    @property
    def schema(self) -> str:
        """The first part of the name."""
        return self.dataset.partition(".")[0]

    @property
    def identifier(self) -> str:
        """The second part."""
        return self.dataset.partition(".")[2]

    @property
    def name(self) -> str:
        """The second part."""
        return self.identifier

    @property
    def table(self) -> str:
        """The second part."""
        return self.identifier

    @property
    def database(self) -> NoReturn:
        """There is none here."""
        raise Undecided("the template asks for the database of a table", "datasets here are called by schema and name")

    def render(self) -> str:
        """The name."""
        return str(self)

    def include(self, **_: object) -> Relation:
        """The same."""
        return self

    def quote(self, **_: object) -> Relation:
        """The same."""
        return self


@dataclass(slots=True)
class Seen:
    """What one rendering asked for: what the text depends on."""

    reads: dict[str, int] = field(default_factory=dict)
    config: dict[str, object] = field(default_factory=dict)
    variables: dict[str, object] = field(default_factory=dict)
    incremental: bool = False
    remarks: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class World:
    """What all renderings of a project share: who is called what, the variables, the target that a person would choose."""

    project: str
    templates: Templates
    refs: Mapping[str, str]
    sources: Mapping[tuple[str, str], str]
    variables: Mapping[str, object]
    target: Mapping[str, object]
    disabled: frozenset[str] = frozenset()
    docs: Mapping[str, str] = field(default_factory=dict)


class _Target:
    """`target`: what it says is kept, and that it was asked."""

    def __init__(self, known: Mapping[str, object], seen: Seen) -> None:
        self._known = known
        self._seen = seen

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._known:
            raise Undecided(f"the template reads `target.{name}`, which is of a warehouse", _INSTEAD)
        question = f"the template reads `target.{name}`, which is taken to be `{self._known[name]}`"
        if question not in self._seen.questions:
            self._seen.questions.append(question)
        return self._known[name]

    def get(self, name: str, default: object = None) -> object:
        """As of a mapping."""
        return getattr(self, name) if name in self._known else default


class _Config:
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


class _Names:
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


class _Adapter:
    """`adapter`: it dispatches macros, quotes names, and knows no warehouse."""

    def __init__(self, world: World, room: Room, kind: str) -> None:
        self._world = world
        self._room = room
        self._kind = kind

    def dispatch(self, macro_name: str, macro_namespace: str | None = None, **_: object) -> object:
        """The macro for this kind of warehouse, else the one for all."""
        for package in dict.fromkeys((self._world.project, macro_namespace or self._world.project)):
            for prefix in (self._kind, "default"):
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

    def type(self) -> str:
        """The kind of warehouse."""
        return self._kind

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        raise Undecided(f"`adapter.{name}` asks the warehouse", _INSTEAD)


class _Refusing:
    """A name that only a warehouse has an answer for: whatever is done with it says so."""

    def __init__(self, name: str, why: str) -> None:
        self._name = name
        self._why = why

    def _refuse(self) -> NoReturn:
        raise Undecided(f"`{self._name}` {self._why}", _INSTEAD)

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


class _Exceptions:
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


def names_for(world: World, this: Relation, config: Mapping[str, object], seen: Seen) -> dict[str, object]:
    """Everything that a template of one node can name."""
    room = Room(world.templates)
    kind = str(world.target.get("type", "duckdb"))
    names: dict[str, object] = {name: _Refusing(name, why) for name, why in _WAREHOUSE.items()}
    names |= {f: made for f in ("dateadd", "datediff", "date_trunc", "type_string") if (made := borrowed.dbt(f)) is not None}
    names |= {
        "ref": _ref(world, seen),
        "source": _source(world, seen),
        "config": _Config(seen, config),
        "var": _var(world, seen),
        "env_var": _env_var(seen),
        "this": this,
        "is_incremental": _is_incremental(seen),
        "target": _Target(world.target, seen),
        "execute": True,
        "model": {"name": this.model, "alias": this.identifier, "schema": this.schema, "config": dict(config)},
        "adapter": _Adapter(world, room, kind),
        "exceptions": _Exceptions(),
        "api": _Refusing("api", "asks the warehouse"),
        "doc": lambda *words: world.docs.get(str(words[-1]), "") if words else "",
        "modules": {"re": re, "itertools": itertools, "datetime": _Refusing("modules.datetime", "is another in every run")},
        "local_md5": lambda text: md5(str(text).encode(), usedforsecurity=False).hexdigest(),
        "dbt_version": "1.10.0",
        "project_name": world.project,
        **_PURE,
    }
    names["dbt"] = _Names("dbt", lambda n: borrowed.dbt(n) or names.get(n), "has no translation yet")
    names["dbt_utils"] = _Names("dbt_utils", lambda n: borrowed.dbt_utils(n) or room.macro("dbt_utils", n), "has no translation yet")
    packages = {p for p, _ in world.templates.macros}
    for package in packages - {"dbt_utils", world.project}:
        names[package] = _Names(package, lambda n, p=package: room.macro(p, n), "is not in that package")  # type: ignore[misc]  # bound at once
    names[world.project] = _Names(world.project, lambda n: room.macro(world.project, n), "is not a macro of the project")
    for package, name in world.templates.macros:
        if package == world.project:
            names[name] = room.macro(package, name)
    for package in ("dbt_date", "dbt_expectations", "audit_helper", "codegen", "elementary", "metrics", "fivetran_utils"):
        names.setdefault(package, _Names(package, lambda _: None, "is of a package that is not here"))
    room.names = names
    return names


def _ref(world: World, seen: Seen) -> Callable[..., Relation]:
    def ref(*words: object, **named: object) -> Relation:
        name = str(words[-1]) if words else ""
        version = named.get("v", named.get("version"))
        full = f"{name}.v{version}" if version is not None else name
        dataset = world.refs.get(full)
        if dataset is None:
            if name in world.disabled:
                raise Wrong("XDE0174", f"`ref('{name}')` names a model that is disabled", hint="enable it, or read something else")
            package = len(words) > 1 and str(words[0]) != world.project
            if package:
                raise Undecided(f"`ref('{words[0]}', '{name}')` names a model of a package", "bring the package's model into the project")
            hint = did_you_mean(name, world.refs) or "mend the name, or add the model"
            raise Wrong("XDE0174", f"`ref('{full}')` names no model, seed or snapshot", hint=hint)
        seen.reads[dataset] = 0
        return Relation(dataset, name)

    return ref


def _source(world: World, seen: Seen) -> Callable[..., Relation]:
    def source(source_name: str, table_name: str) -> Relation:
        dataset = world.sources.get((source_name, table_name))
        if dataset is None:
            hint = did_you_mean(f"{source_name}.{table_name}", [".".join(k) for k in world.sources]) or "declare it under `sources:`"
            raise Wrong("XDE0175", f"`source('{source_name}', '{table_name}')` is declared nowhere", hint=hint)
        seen.reads[dataset] = 0
        return Relation(dataset, table_name)

    return source


def _var(world: World, seen: Seen) -> Callable[..., object]:
    def var(name: str, default: object = _MISSING) -> object:
        value = world.variables.get(name, default)
        if value is _MISSING:
            raise Undecided(f"the variable `{name}` has no value in the project", "give it one under `vars:` of `dbt_project.yml`")
        seen.variables[name] = value
        return value

    var.has_var = lambda name: name in world.variables  # type: ignore[attr-defined]  # dbt's own spelling of it
    return var


def _env_var(seen: Seen) -> Callable[..., object]:
    def env_var(name: str, default: object = _MISSING) -> object:
        if default is _MISSING:
            raise Undecided(f"`env_var('{name}')` reads the environment of the process", "write its value, or make it a parameter")
        seen.questions.append(f"`env_var('{name}')` is taken to be its default, `{default}`")
        return default

    return env_var


def _is_incremental(seen: Seen) -> Callable[[], bool]:
    def is_incremental() -> bool:
        seen.incremental = True
        return False

    return is_incremental


def _return(value: object = None) -> NoReturn:
    raise Returned(value)


def _log(*_: object, **__: object) -> str:
    return ""


def _fromjson(text: str, default: object = None) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return default


def _set(values: object, default: object = None) -> object:
    try:
        return set(values)  # type: ignore[call-overload]  # what it is, the except says
    except TypeError:
        return default


def _zip(*lists: object, **_: object) -> object:
    return list(zip(*lists, strict=False))  # type: ignore[call-overload]  # as dbt: a template's own lists


_PURE: dict[str, object] = {
    "return": _return,
    "log": _log,
    "print": _log,
    "fromjson": _fromjson,
    "tojson": lambda value, default=None, sort_keys=False: json.dumps(value, sort_keys=sort_keys, default=lambda _: default),
    "set": _set,
    "set_strict": lambda values: set(values),
    "zip": _zip,
    "zip_strict": _zip,
}
