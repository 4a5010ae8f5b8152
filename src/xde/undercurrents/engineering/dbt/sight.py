"""What a template of dbt sees by name: `ref`, `source`, `config`, `var` and the rest; what only a warehouse can answer says so."""

from __future__ import annotations

import itertools
import json
import re
from hashlib import md5
from types import SimpleNamespace
from typing import TYPE_CHECKING, NoReturn

from xde.ground.names import did_you_mean
from xde.undercurrents.engineering.dbt import borrowed
from xde.undercurrents.engineering.dbt.configs import flag
from xde.undercurrents.engineering.dbt.stand_ins import Adapter, Config, Exceptions, Names, Refusing, Target
from xde.undercurrents.engineering.dbt.templates import Returned, Room, Undecided, Wrong
from xde.undercurrents.engineering.dbt.world import Relation, Seen, World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


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


_RE = SimpleNamespace(
    **{n: getattr(re, n) for n in ("compile", "escape", "findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn")},
    **{n: getattr(re, n) for n in ("I", "IGNORECASE", "M", "MULTILINE", "S", "DOTALL", "X", "VERBOSE")},
)
_ITERTOOLS = SimpleNamespace(**{n: getattr(itertools, n) for n in dir(itertools) if not n.startswith("_")})
"""Functions and no modules: from a module a template would get at everything."""


def names_for(world: World, this: Relation, config: Mapping[str, object], seen: Seen) -> dict[str, object]:
    """Everything that a template of one node can name."""
    room = Room(world.templates)
    target = Target(world.target, seen)
    names: dict[str, object] = {name: Refusing(name, why) for name, why in _WAREHOUSE.items()}
    names |= borrowed.DBT
    names |= {
        "ref": _ref(world, seen),
        "source": _source(world, seen),
        "config": Config(seen, config),
        "var": _var(world, seen, names),
        "env_var": _env_var(seen),
        "this": this,
        "is_incremental": _is_incremental(seen),
        "target": target,
        "execute": True,
        "model": {
            "name": this.model,
            "alias": this.identifier,
            "schema": this.schema,
            "config": dict(config),
            "package_name": world.project,
            "unique_id": f"model.{world.project}.{this.model}",
        },
        "should_full_refresh": lambda: False,
        "should_store_failures": lambda: False,
        "adapter": Adapter(world, room, target),
        "exceptions": Exceptions(),
        "api": Refusing("api", "asks the warehouse"),
        "doc": lambda *words: world.docs.get(str(words[-1]), "") if words else "",
        "modules": {"re": _RE, "itertools": _ITERTOOLS, "datetime": Refusing("modules.datetime", "is another in every run")},
        "local_md5": lambda text: md5(str(text).encode(), usedforsecurity=False).hexdigest(),
        "dbt_version": "1.10.0",
        "project_name": world.project,
        **_PURE,
    }
    names["builtins"] = {n: names[n] for n in ("ref", "source", "config", "var")}
    names["dbt"] = Names("dbt", lambda n: borrowed.dbt(n) or names.get(n), "is none of those that are known here")
    names["dbt_utils"] = Names(
        "dbt_utils", lambda n: _of_utils(world, n) or room.macro("dbt_utils", n), "is none of those that are known here"
    )
    packages = {p for p, _ in world.templates.macros}
    for package in packages - {"dbt_utils", world.project}:
        names[package] = Names(package, lambda n, p=package: room.macro(p, n), "is not in that package")  # type: ignore[misc]  # bound at once
    names[world.project] = Names(world.project, lambda n: room.macro(world.project, n), "is not a macro of the project")
    for package, name in world.templates.macros:
        if package == world.project:
            names[name] = room.macro(package, name)
    for package in ("dbt_date", "dbt_expectations", "audit_helper", "codegen", "elementary", "metrics", "fivetran_utils"):
        names.setdefault(package, Names(package, lambda _: None, "is of a package that is not here"))
    room.names = names
    return names


def _of_utils(world: World, name: str) -> Callable[..., object] | None:
    if name == "generate_surrogate_key" and flag(world.variables.get("surrogate_key_treat_nulls_as_empty_strings")):
        name = "surrogate_key"
    return borrowed.dbt_utils(name)


def _ref(world: World, seen: Seen) -> Callable[..., Relation]:
    def ref(*words: object, **named: object) -> Relation:
        name = str(words[-1]) if words else ""
        version = named.get("v", named.get("version"))
        full = f"{name}.v{version}" if version is not None else name
        dataset = world.refs.get(full)
        if dataset is None:
            if name in world.disabled:
                raise Wrong("XDE0174", f"`ref('{name}')` names a model that is disabled", hint="enable it, or read something else")
            if (len(words) > 1 and str(words[0]) != world.project) or (world.packages and len(words) == 1):
                shown = ", ".join(f"'{w}'" for w in words)
                raise Undecided(f"`ref({shown})` names a model of a package", "bring the package's model into the project")
            hint = did_you_mean(name, world.refs) or "mend the name, or add the model"
            raise Wrong("XDE0174", f"`ref('{full}')` names no model, seed or snapshot", hint=hint)
        seen.reads[dataset] = 0
        return Relation(dataset, name)

    return ref


def _source(world: World, seen: Seen) -> Callable[..., Relation]:
    def source(source_name: str, table_name: str) -> Relation:
        dataset = world.sources.get((source_name, table_name))
        if dataset is None and world.packages:
            raise Undecided(
                f"`source('{source_name}', '{table_name}')` is declared nowhere but in a package", "declare it under `sources:`"
            )
        if dataset is None:
            hint = did_you_mean(f"{source_name}.{table_name}", [".".join(k) for k in world.sources]) or "declare it under `sources:`"
            raise Wrong("XDE0175", f"`source('{source_name}', '{table_name}')` is declared nowhere", hint=hint)
        seen.reads[dataset] = 0
        return Relation(dataset, table_name)

    return source


def _var(world: World, seen: Seen, names: Mapping[str, object]) -> Callable[..., object]:
    def var(name: str, default: object = _MISSING) -> object:
        value = world.variables.get(name, default)
        if isinstance(value, str):  # it may be a template itself, of what the asking one can name
            value = world.templates.value(value, f"the variable {name}", names)
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
    return list(zip(*lists, strict=False))


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
