"""Who says so: the standards, tools and measurements that the rules of compatibility rest on."""

from __future__ import annotations

from enum import Enum

_ODCS = "https://bitol-io.github.io/open-data-contract-standard/latest"
_SEMVER = "https://semver.org/spec/v2.0.0.html"


class Source(Enum):
    """A source by its short title and its address; `OWN` is our own judgement, which nobody else has written down."""

    SEMVER_MAJOR = ("SemVer 2.0.0, 8", _SEMVER)
    SEMVER_MINOR = ("SemVer 2.0.0, 7", _SEMVER)
    SEMVER_PATCH = ("SemVer 2.0.0, 6", _SEMVER)
    SEMVER_DEPRECATE = ("SemVer 2.0.0, 7 and FAQ", _SEMVER)
    ODCS_FUNDAMENTALS = ("ODCS, Fundamentals", f"{_ODCS}/fundamentals/")
    ODCS_SCHEMA = ("ODCS, Schema", f"{_ODCS}/schema/")
    ODCS_REFERENCES = ("ODCS, References", f"{_ODCS}/references/")
    ODCS_QUALITY = ("ODCS, Data Quality", f"{_ODCS}/data-quality/")
    ODCS_SLA = ("ODCS, Service-Level Agreement", f"{_ODCS}/service-level-agreement/")
    ODCS_SERVERS = ("ODCS, Infrastructure & Servers", f"{_ODCS}/infrastructure-servers/")
    ODCS_ROLES = ("ODCS, Roles", f"{_ODCS}/roles/")
    AVRO = ("Avro, Schema Resolution", "https://avro.apache.org/docs/1.12.0/specification/#schema-resolution")
    CONFLUENT = (
        "Confluent, Compatibility Types",
        "https://docs.confluent.io/platform/8.4/schema-registry/fundamentals/schema-evolution.html",
    )
    DELTA = ("Delta Lake, Type Widening", "https://docs.delta.io/delta-type-widening")
    BUF = ("Buf, Breaking Rules", "https://buf.build/docs/breaking/rules/")
    DBT = ("dbt, Breaking Changes of Contracts", "https://github.com/dbt-labs/dbt-core/issues/8282")
    MEASURED = ("measured: datacontract-cli 1.2.8", "https://github.com/datacontract/datacontract-cli/releases/tag/v1.2.7")
    OWN = ("xde", "")

    @property
    def title(self) -> str:
        """As it is shown."""
        return str(self.value[0])

    @property
    def address(self) -> str:
        """Where it can be read; empty for our own judgement."""
        return str(self.value[1])
