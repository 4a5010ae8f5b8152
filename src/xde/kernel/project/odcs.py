"""An Open Data Contract Standard document, 3.0 to 3.2, read into a `Contract`: first what is wrong with it, then what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Severity
from xde.kernel.project.contract import Contract, Custom, Property, QualityRule, Relationship, SchemaObject, Server, ServiceLevel
from xde.kernel.project.fields import Codes, Complaints
from xde.kernel.project.odcs_fields import CONTRACT, OPERATORS, RULES_OF_3_0
from xde.kernel.project.tree import Mapping, Scalar, Sequence
from xde.kernel.project.yaml_reader import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.ground.spans import Span
    from xde.kernel.project.tree import Node

CODES = Codes(unknown="XDE0301", missing="XDE0302", type="XDE0303", value="XDE0304")
_SERVER_FIELDS = {"id", "server", "type", "description", "environment", "roles", "customProperties"}


def read_contract(content: bytes, path: str) -> tuple[Contract | None, Mapping | None, list[Finding]]:
    """The contract that a file holds, the tree it was read from, and what is wrong; nothing but findings when it is no YAML at all."""
    root, findings = read_yaml(content, path)
    if root is None:
        return None, None, findings
    return contract_of(root), root, [*findings, *check_contract(root)]


def check_contract(root: Mapping) -> list[Finding]:
    """Whatever the standard does not allow."""
    version = root.text("apiVersion") or ""
    say = Complaints(CODES, lenient=version.startswith(("v3.0", "v2")))
    if version.startswith("v2"):
        why = f"`{version}` is older than the third version of the standard"
        message = f"`{root.path}` is read as a contract of version 3"
        say.findings.add(Finding("XDE0306", message, root.place("apiVersion"), "old", why, "write `apiVersion: v3.1.0`", Severity.WARNING))
    CONTRACT.check(root, "contract", say)
    return say.findings.items


def contract_of(root: Mapping) -> Contract:
    """What a document says; parts of a wrong type are passed over, for they were complained of."""
    description = root.mapping("description")
    return Contract(
        path=root.path,
        id=root.text("id") or "",
        version=root.text("version") or "",
        api_version=root.text("apiVersion") or "",
        name=root.text("name") or "",
        status=root.text("status") or "",
        domain=root.text("domain") or "",
        description=(description.text("purpose") or "") if description is not None else "",
        tags=root.texts("tags"),
        schema=tuple(_table(node, root) for node in root.mappings("schema")),
        servers=tuple(_server(node) for node in root.mappings("servers")),
        service_levels=tuple(_service_level(node, root) for node in root.mappings("slaProperties")),
        team=tuple(_team(root)),
        custom=customs(root),
        raw=root.data(),
        span=root.span,
    )


def own_words(node: Mapping) -> Iterator[tuple[str, Mapping]]:
    """The entries of `customProperties` that are ours, by name: `xdeWriteMode`, or `writeMode` with `vendor: xde`."""
    for entry in node.mappings("customProperties"):
        name, vendor = entry.text("property") or "", entry.text("vendor")
        prefixed = len(name) > 3 and name.startswith("xde") and name[3].isupper()
        if vendor == "xde" or (vendor is None and prefixed):
            yield (name[3].lower() + name[4:] if prefixed else name), entry


def customs(node: Mapping) -> dict[str, Custom]:
    """Our own words of a part of a contract; those of other vendors stay in `raw`."""
    if "customProperties" not in node.items:
        return {}
    return {name: Custom(entry.value("value"), entry.place("value")) for name, entry in own_words(node)}


def _table(node: Mapping, root: Mapping) -> SchemaObject:
    names = _Names(root, node)
    relationships = [_relationship(r, names, None) for r in node.mappings("relationships")]
    relationships += [
        _relationship(r, names, path) for path, column in columns_below(node) for r in column.mappings("relationships") if "to" in r.items
    ]
    return SchemaObject(
        name=node.text("name") or "",
        physical_name=node.text("physicalName"),
        physical_type=node.text("physicalType"),
        description=node.text("description") or "",
        business_name=node.text("businessName"),
        grain=node.text("dataGranularityDescription") or "",
        tags=node.texts("tags"),
        properties=tuple(_property(p) for p in node.mappings("properties")),
        relationships=tuple(relationships),
        quality=_rules(node),
        custom=customs(node),
        span=node.place("name"),
    )


def columns_below(table: Mapping) -> Iterator[tuple[str, Mapping]]:
    """Every property of a table with its path, those of nested objects too."""
    open_parts = [("", column) for column in reversed(table.mappings("properties"))]
    while open_parts:
        above, column = open_parts.pop()
        path = f"{above}.{column.text('name') or ''}" if above else column.text("name") or ""
        yield path, column
        open_parts += [(path, inner) for inner in reversed(column.mappings("properties"))]


def _property(node: Mapping) -> Property:
    items, name = node.mapping("items"), node.text("name")
    enum = node.items.get("enum")
    position = node.whole("primaryKeyPosition")
    partition = node.whole("partitionKeyPosition")
    return Property(
        name=name or "",
        physical_name=node.text("physicalName"),
        logical_type=node.text("logicalType"),
        physical_type=node.text("physicalType"),
        options=_options(node),
        required=node.flag("required"),
        unique=node.flag("unique"),
        primary_key=node.flag("primaryKey"),
        primary_key_position=-1 if position is None else position,
        partitioned=node.flag("partitioned"),
        partition_key_position=-1 if partition is None else partition,
        enum=tuple(entry.value("value") for entry in node.mappings("enum")) if isinstance(enum, Sequence) else None,
        classification=node.text("classification"),
        tags=node.texts("tags"),
        description=node.text("description") or "",
        business_name=node.text("businessName"),
        quality=_rules(node),
        properties=tuple(_property(p) for p in node.mappings("properties")),
        items=_property(items) if items is not None else None,
        custom=customs(node),
        span=node.place("name"),
    )


def _options(node: Mapping) -> dict[str, object]:
    """The options of the type; bounds that version 3.0 made exclusive by a flag are written as those of 3.1."""
    options = node.mapping("logicalTypeOptions")
    if options is None:
        return {}
    found = options.data()
    for inclusive, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        flag = found.get(exclusive)
        if isinstance(flag, bool):
            del found[exclusive]
            if flag and inclusive in found:
                found[exclusive] = found.pop(inclusive)
    return found


def _rules(node: Mapping) -> tuple[QualityRule, ...]:
    return tuple(_rule(rule, f"rule {number}") for number, rule in enumerate(node.mappings("quality"), 1))


def _rule(node: Mapping, unnamed: str) -> QualityRule:
    operator = next((key for key in node.items if key in OPERATORS), None)
    old = node.text("rule")
    metric = node.text("metric") or (RULES_OF_3_0.get(old, old) if old is not None else None)
    threshold = node.value(operator) if operator is not None else None
    if old is not None and operator is None and metric != "rowCount":
        operator, threshold = "mustBe", 0
    arguments = node.mapping("arguments")
    given: dict[str, object] = arguments.data() if arguments is not None else {}
    if "validValues" in node.items:
        given["validValues"] = node.value("validValues")
    return QualityRule(
        id=node.text("id") or node.text("name") or unnamed,
        type=node.text("type") or ("library" if metric is not None else "text"),
        metric=metric,
        arguments=given,
        query=node.text("query"),
        operator=operator,
        threshold=threshold,
        unit=node.text("unit") or "rows",
        dimension=node.text("dimension"),
        severity=node.text("severity") or "error",
        description=node.text("description") or "",
        engine=node.text("engine"),
        implementation=node.value("implementation"),
        custom=customs(node),
        span=node.place_of_key(operator if operator in node.keys else "metric") if operator or metric else node.span,
    )


class _Names:
    """Resolves what relationships refer to: names of this contract's tables, and their ids in qualified references."""

    def __init__(self, root: Mapping, table: Mapping) -> None:
        self.table = table.text("name") or ""
        self.ids: dict[str, str] = {}
        self.column_ids: dict[tuple[str, str], str] = {}
        self.own: set[str] = set()
        for other in root.mappings("schema"):
            name = other.text("name") or ""
            self.own.add(name)
            self.ids[other.text("id") or name] = name
            for column in other.mappings("properties"):
                if (identifier := column.text("id")) is not None:
                    self.column_ids[name, identifier] = column.text("name") or ""

    def split(self, reference: str) -> tuple[str, str]:
        """Dataset and column of a reference: `airports.faa`, `nyc.airports.faa`, `nyc.yaml#/schema/airports/properties/faa`."""
        if "/" in reference:
            return self._qualified(reference)
        parts = reference.split(".")
        if parts[0] in self.own or len(parts) == 2:
            return parts[0], ".".join(parts[1:])
        return ".".join(parts[:2]), ".".join(parts[2:])

    def _qualified(self, reference: str) -> tuple[str, str]:
        file, _, inside = reference.rpartition("#")
        parts = inside.strip("/").split("/")
        table, column = parts[1] if len(parts) > 1 else "", ".".join(parts[3::2])
        if file:
            stem = file.rpartition("/")[2].removesuffix(".yml").removesuffix(".yaml").removesuffix(".odcs")
            return f"{stem}.{table}", column
        table = self.ids.get(table, table)
        return table, self.column_ids.get((table, column), column)


def _relationship(node: Mapping, names: _Names, column: str | None) -> Relationship:
    there = [names.split(reference) for reference in references(node.items.get("to"))]
    here = [column] if column is not None else [names.split(reference)[1] for reference in references(node.items.get("from"))]
    custom = customs(node)
    severity = custom["severity"].value if "severity" in custom else "error"
    return Relationship(
        columns=tuple(here),
        to_dataset=there[0][0] if there and all(name for _, name in there) else "",
        to_columns=tuple(name for _, name in there),
        severity=severity if isinstance(severity, str) else "error",
        custom=custom,
        span=node.place("to"),
    )


def references(node: Node | None) -> list[str]:
    """The texts of a reference, one or a list."""
    parts = node.items if isinstance(node, Sequence) else [node]
    return [part.value for part in parts if isinstance(part, Scalar) and isinstance(part.value, str)]


def _server(node: Mapping) -> Server:
    settings: dict[str, object] = {key: item.data() for key, item in node.items.items() if key not in _SERVER_FIELDS}
    return Server(
        node.text("server") or "", node.text("type") or "", node.text("environment"), settings, node.place("server"), customs(node)
    )


def _service_level(node: Mapping, root: Mapping) -> ServiceLevel:
    element: str | None = node.text("element") or root.text("slaDefaultElement")
    place: Span = node.place("element") if "element" in node.items else node.place("property")
    return ServiceLevel(node.text("property") or "", node.value("value"), node.text("unit"), element, customs(node), place)


def _team(root: Mapping) -> Iterator[tuple[str, str]]:
    team = root.mapping("team")
    for member in root.mappings("team") if team is None else team.mappings("members"):
        yield member.text("username") or "", member.text("role") or ""
