"""The kinds of server of the Open Data Contract Standard 3.2 and what each must say; read like a table."""

from __future__ import annotations

from xde.kernel.project.fields import By, Complaints, Either, Kind, Number, Record, Text
from xde.kernel.project.tree import Mapping, Node, Scalar

_TEXT = Text()
_PORT = Either("a number or text", scalar=By(lambda node: _TEXT if isinstance(node.data(), str) else Number(whole=True)))

# type: fields, those with a star are required
_TYPES = {
    "api": "location*",
    "athena": "stagingDir schema* catalog regionName workgroup",
    "azure": "location* format* encoding delimiter",
    "bigquery": "project* dataset*",
    "btrieve": "host* port database*",
    "clickhouse": "host* port* database*",
    "cloudsql": "host* port* database* schema*",
    "custom": "account catalog database dataset delimiter endpointUrl format encoding host location path port project region regionName "
    "schema serviceName stagingDir warehouse stream",
    "databricks": "host catalog* schema*",
    "db2": "host* port* database* schema",
    "denodo": "host* port* database",
    "dremio": "host* port* schema",
    "duckdb": "database* schema",
    "exasol": "host* port schema",
    "fastobjects": "database* host port",
    "glue": "account* database* location format encoding",
    "hana": "host* port database schema",
    "hive": "host* port database*",
    "iceberg": "catalog* catalogUrl* namespace warehouse",
    "impala": "host* port database*",
    "informix": "host* port database*",
    "ingres": "database* host* port",
    "kafka": "host* format encoding",
    "kinesis": "region format encoding",
    "local": "path* format* encoding",
    "mysql": "host* port* database*",
    "oracle": "host* port* serviceName*",
    "poet": "database* host port",
    "postgres": "host* port* database* schema*",
    "postgresql": "host* port* database* schema*",
    "presto": "host* catalog schema",
    "pubsub": "project*",
    "redshift": "host database* schema* region account",
    "s3": "location* endpointUrl format encoding delimiter",
    "sftp": "location* format encoding delimiter",
    "snowflake": "host port account* database* schema* warehouse",
    "sqlserver": "host* port database* schema*",
    "synapse": "host* port* database*",
    "teradata": "host* port database",
    "trino": "host* port* catalog* schema*",
    "vectorwise": "database* host* port",
    "versant": "database* host port",
    "vertica": "host* port* database* schema*",
    "zen": "host* port database*",
}


CUSTOM_KINDS = ("sqlite", "sqlalchemy", "files", "redis", "nats", "mqtt", "dlt")
"""What `xdeType` of a server of `type: custom` may say for our own connectors; other kinds are those of installed packages."""


class _Type(Text):
    """A type of the standard; of what it has no type for, it is told how that is written."""

    def check(self, node: Node, name: str, say: Complaints) -> None:
        value = node.value if isinstance(node, Scalar) else None
        if value in CUSTOM_KINDS:
            hint = f"write `type: custom`, and into its `customProperties` `{{property: xdeType, value: {value}}}`"
            say.wrong_value(node, f"`{name}` cannot be `{value}`", "the standard has no such type", hint)
        elif value == "mariadb":
            say.wrong_value(
                node, f"`{name}` cannot be `{value}`", "the standard has no such type", "write `type: mysql`, which reads it too"
            )
        else:
            super().check(node, name, say)


def server_kind(common: Record) -> Kind:
    """A server of any type; `common` holds the fields that all have."""
    named = common.with_fields({"server": _TEXT, "type": _Type((*_TYPES,))}, ("server", "type"))
    records = {name: _with_fields(named, name, words.split()) for name, words in _TYPES.items()}
    records["sftp"] = records["sftp"].with_fields({"location": Text(pattern="^sftp://.*", wanted="an `sftp://` address")})
    unknown = Record(named.fields, named.required, open=True)

    def choose(node: Node) -> Kind:
        word = node.text("type") if isinstance(node, Mapping) else None
        return records.get(word or "", unknown)

    return By(choose)


def _with_fields(common: Record, name: str, words: list[str]) -> Record:
    kinds: dict[str, Kind] = {word.rstrip("*"): _PORT if word.startswith("port") else _TEXT for word in words}
    required = tuple(word.rstrip("*") for word in words if word.endswith("*"))
    return common.with_fields({"type": Text((name,)), **kinds}, required)
