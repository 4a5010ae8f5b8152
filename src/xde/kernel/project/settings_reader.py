"""`xde.yaml` read into `Settings`; a reference such as `${env:NAME}` stays as it is written: only the wiring may ask for its value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.kernel.project.fields import Anything, Codes, Complaints, Either, Empty, ListOf, MapOf, Number, Record, Text
from xde.kernel.project.lint_words import LINT, read_allowance
from xde.kernel.project.model_head import DURATION, days
from xde.kernel.project.secret_linter import check_references
from xde.kernel.project.settings import EngineSettings, EnvironmentSettings, LakeSettings, PythonSettings, Settings
from xde.kernel.project.tree import Mapping, Scalar
from xde.kernel.project.yaml_reader import read_yaml

if TYPE_CHECKING:
    from xde.ground.findings import Finding

MEMORY = r"^[0-9]+(\.[0-9]+)? ?([KMGT]i?B|B)$"
PATIENCE = r"^[0-9]+(\.[0-9]+)? *(seconds?|minutes?|hours?)$"
CODES = Codes(unknown="XDE0110", missing="XDE0111", type="XDE0112", value="XDE0113")
RESERVED_PARAMETERS = ("start", "end", "today")
DIALECTS = (
    "athena",
    "bigquery",
    "clickhouse",
    "databricks",
    "duckdb",
    "hive",
    "mysql",
    "oracle",
    "postgres",
    "presto",
    "redshift",
    "snowflake",
    "spark",
    "sqlite",
    "trino",
    "tsql",
)

_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"

_path = Text(doc="Folder of the Delta tables, relative to the project, or the URL of an object store", example=".xde/lake")
_LAKE = Either(
    "a path, or a mapping with `path`",
    scalar=_path,
    mapping=Record(
        {
            "path": _path,
            "options": MapOf(
                Anything(plain=True), doc="Options of the object store; a reference such as `${env:NAME}` is read when the lake is opened"
            ),
        },
        ("path",),
    ),
    doc="Where the data lies",
)
_LEDGER = Text(
    pattern=r"^(sqlite:.+|postgres(ql)?://.+|\$\{.*)",
    wanted="`sqlite:PATH`, `postgresql://...` or `${env:NAME}`",
    example="sqlite:.xde/ledger.sqlite",
    doc="Where xde remembers environments and runs",
)
_engine_name = Text(doc="Name of the engine", example="duckdb")
_ENGINE = Either(
    "a name, or a mapping with `name`",
    scalar=_engine_name,
    mapping=Record(
        {
            "name": _engine_name,
            "memory_limit": Text(
                pattern=r"^([0-9]+(\.[0-9]+)? ?([KMGT]i?B|B|%)|\$\{.*)$",
                wanted="an amount of memory",
                example="4GB",
                doc="Most memory to use",
            ),
            "threads": Number(whole=True, least=1, doc="Threads of one step"),
            "temp_folder": Text(doc="Folder for what does not fit into memory"),
            "master": Text(
                pattern=r"^(local(\[.+\])?|local-cluster\[.+\]|spark://.+|yarn|k8s://.+|\$\{.*)$",
                wanted="`local[2]`, `spark://host:port`, `yarn` or `k8s://...`",
                example="local[2]",
                doc="Of Spark: the cluster that a driver in this process works with",
            ),
            "remote": Text(
                pattern=r"^(sc://.+|\$\{.*)$",
                wanted="`sc://host:port`",
                example="sc://localhost:15002",
                doc="Of Spark: the server of Spark Connect",
            ),
            "options": MapOf(Anything(plain=True), doc="Of Spark: settings of its own, `spark....`"),
        }
    ),
    doc="What computes",
)
_PARAMETER = Either("a single value or a list of them", scalar=Anything(), sequence=ListOf(Anything(plain=True)))
_EXPIRES = Text(
    pattern=DURATION,
    wanted="a number of hours, days or weeks",
    example="14 days",
    doc="How long after its last run or deployment `xde clean` drops it; never when nothing is said",
)
_APIS = Text(("live", "cassettes"), doc="Whether APIs are asked, or the cassettes that were recorded of them under `tests/cassettes`")
_ENVIRONMENT = Empty(Record({"lake": _LAKE, "ledger": _LEDGER, "engine": _ENGINE, "expires": _EXPIRES, "apis": _APIS}))


def _check_parameters(node: Mapping, say: Complaints) -> None:
    parameters = node.mapping("parameters")
    for name in RESERVED_PARAMETERS:
        if parameters is not None and name in parameters.keys:
            why = f"`${name}` is given by xde itself"
            say.add("XDE0114", f"a parameter cannot be named `{name}`", parameters.keys[name], "taken", why, "choose another name")


SETTINGS = Record(
    {
        "name": Text(pattern=r"\S", wanted="a name", doc="Name of the project"),
        "parameters": MapOf(
            _PARAMETER,
            key_pattern=_NAME,
            key_wanted="letters, digits and `_`, not beginning with a digit",
            doc="Values that SQL reads as `$name`",
        ),
        "lake": _LAKE,
        "ledger": _LEDGER,
        "engine": _ENGINE,
        "python": Record(
            {
                "memory_limit": Text(pattern=MEMORY, wanted="an amount of memory", example="2GB", doc="Most memory of one Python model"),
                "time_limit": Text(
                    pattern=PATIENCE, wanted="a number of seconds, minutes or hours", example="10 minutes", doc="Longest time"
                ),
            },
            doc="How far the functions of Python models may go",
        ),
        "dialect": Text(DIALECTS, doc="SQL dialect of the models"),
        "parallel": Number(whole=True, least=1, doc="Steps that run at once"),
        "retries": Number(whole=True, least=0, doc="How often a step is tried again after a temporary error"),
        "lint": LINT,
        "apis": _APIS,
        "environment": Text(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", wanted="a name", doc="The environment that commands use by default"),
        "environments": MapOf(
            _ENVIRONMENT,
            key_pattern=r"^[A-Za-z][A-Za-z0-9_-]*$",
            key_wanted="letters, digits, `_` and `-`, beginning with a letter",
            doc="What environments have of their own",
        ),
    },
    ("name",),
    strict=True,
    also=_check_parameters,
    doc="Settings of an xde project (`xde.yaml`)",
)


def read_settings(content: bytes, path: str) -> tuple[Settings | None, list[Finding]]:
    """The settings that a file holds and what is wrong with them; None when it is no YAML mapping."""
    root, findings = read_yaml(content, path)
    if root is None:
        return None, findings
    say = Complaints(CODES)
    SETTINGS.check(root, path, say)
    check_references(root, say)
    return _settings(root), [*findings, *say.findings]


def _settings(root: Mapping) -> Settings:
    default = Settings(name="")
    environments = root.mapping("environments")
    parameters = root.mapping("parameters")
    lake, engine, python = _lake(root), _engine(root), root.mapping("python")
    whole = {key: value for key in ("parallel", "retries") if (value := root.whole(key)) is not None and value >= 0}
    return Settings(
        name=root.text("name") or "",
        lake=lake if lake is not None else default.lake,
        ledger=root.text("ledger") or default.ledger,
        engine=engine if engine is not None else default.engine,
        dialect=root.text("dialect") or default.dialect,
        parallel=max(1, whole.get("parallel", default.parallel)),
        retries=whole.get("retries", default.retries),
        environment=root.text("environment") or default.environment,
        environments={name: _environment(name, environments) for name in environments.items} if environments is not None else {},
        parameters=parameters.data() if parameters is not None else {},
        python=PythonSettings(python.text("memory_limit"), python.text("time_limit")) if python is not None else default.python,
        lint=read_allowance(root),
        apis=root.text("apis") or default.apis,
    )


def _environment(name: str, environments: Mapping) -> EnvironmentSettings:
    span = environments.place_of_key(name)
    node = environments.mapping(name)
    if node is None:
        return EnvironmentSettings(name, span=span)
    told = node.text("expires")
    expires = days(told) if told is not None and re.match(DURATION, told) else None
    return EnvironmentSettings(name, _lake(node), node.text("ledger"), _engine(node), span, expires, node.text("apis"))


def _lake(node: Mapping) -> LakeSettings | None:
    given = node.mapping("lake")
    if given is None:
        path = node.text("lake")
        return LakeSettings(path) if path is not None else None
    options = given.mapping("options")
    texts = {key: item.text for key, item in options.items.items() if isinstance(item, Scalar)} if options is not None else {}
    return LakeSettings(given.text("path") or LakeSettings().path, texts)


def _engine(node: Mapping) -> EngineSettings | None:
    given = node.mapping("engine")
    if given is None:
        name = node.text("engine")
        return EngineSettings(name) if name is not None else None
    options = given.mapping("options")
    texts = {key: item.text for key, item in options.items.items() if isinstance(item, Scalar)} if options is not None else {}
    return EngineSettings(
        given.text("name") or EngineSettings().name,
        given.text("memory_limit"),
        given.whole("threads"),
        given.text("temp_folder"),
        given.text("master"),
        given.text("remote"),
        texts,
    )
