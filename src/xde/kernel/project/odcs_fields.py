"""What an Open Data Contract Standard 3.2 document may hold, as data; documents of 3.0 and 3.1 are parts of it, but for what is said here.

Version 3.0 left nearly everything open and knew exclusive bounds as flags and library rules by the word `rule`: for such documents
unknown and missing keys are warnings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.kernel.project.fields import Anything, By, Either, Flag, Kind, ListOf, Number, Record, Text
from xde.kernel.project.odcs_servers import server_kind
from xde.kernel.project.tree import Mapping, Node, Scalar

if TYPE_CHECKING:
    from xde.kernel.project.fields import Complaints

LOGICAL_TYPES = ("string", "date", "timestamp", "time", "number", "integer", "object", "array", "boolean", "map", "vector")
METRICS = ("nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount")
RULES_OF_3_0 = {"duplicateCount": "duplicateValues", "validValues": "invalidValues", "nullCheck": "nullValues", "rowCount": "rowCount"}
VERSIONS = ("v3.2.0", "v3.1.0", "v3.0.2", "v3.0.1", "v3.0.0", "v2.2.2", "v2.2.1", "v2.2.0")

_SHORTHAND = r"^[A-Za-z_][A-Za-z0-9_\-]*(\.[A-Za-z_][A-Za-z0-9_\-]*)+$"
QUALIFIED = (
    r"^(?:(?:https?:\/\/)?[A-Za-z0-9._\-\/]+\.ya?ml#)?\/?[A-Za-z_][A-Za-z0-9_]*\/[A-Za-z0-9_-]+"
    r"(?:\/[A-Za-z_][A-Za-z0-9_]*\/[A-Za-z0-9_-]+)*$"
)

_TEXT, _FLAG, _ANY, _PLAIN = Text(), Flag(), Anything(), Anything(plain=True)
_WHOLE, _COUNT, _NUMBER = Number(whole=True), Number(whole=True, least=0), Number()
_ID = Text(pattern=r"^[A-Za-z0-9_-]+$", wanted="letters, digits, `_` and `-` only", example="order_lines")
_TEXTS = ListOf(_TEXT)
_DEFINITIONS = ListOf(Record({"id": _ID, "url": _TEXT, "type": _TEXT, "description": _TEXT}, ("url", "type")))
_CUSTOMS = ListOf(Record({"id": _ID, "property": _TEXT, "value": _ANY, "description": _TEXT, "vendor": _TEXT}, ("property", "value")))
_MARKS: dict[str, Kind] = {"tags": _TEXTS, "customProperties": _CUSTOMS, "authoritativeDefinitions": _DEFINITIONS}


_PAIR = ListOf(_NUMBER, least=2, most=2, unique=True)
OPERATORS: dict[str, Kind] = {
    "mustBe": _ANY,
    "mustNotBe": _ANY,
    "mustBeGreaterThan": _NUMBER,
    "mustBeGreaterOrEqualTo": _NUMBER,
    "mustBeLessThan": _NUMBER,
    "mustBeLessOrEqualTo": _NUMBER,
    "mustBeBetween": _PAIR,
    "mustNotBeBetween": _PAIR,
}

_statement = {"id": _TEXT, "question": _TEXT, "answer": _TEXT, **_MARKS}
_constraint = {"id": _TEXT, "constraint": _TEXT, **_MARKS}
_CONTEXT = Either(
    "text or a mapping",
    scalar=_TEXT,
    mapping=Record(
        {
            "instructions": _TEXT,
            "verifiedStatements": ListOf(Record(_statement, ("question",))),
            "constraints": ListOf(Record(_constraint, ("constraint",))),
        }
    ),
)
_SYNONYM = Record(
    {"id": _ID, "synonym": _TEXT, "description": _TEXT, "locale": _TEXT, "source": _TEXT, "status": _TEXT, "customProperties": _CUSTOMS},
    ("synonym",),
)
_ELEMENT: dict[str, Kind] = {
    "id": _ID,
    "name": _TEXT,
    "physicalType": _TEXT,
    "physicalName": _TEXT,
    "description": _TEXT,
    "businessName": _TEXT,
    "deprecated": _FLAG,
    "synonyms": ListOf(_SYNONYM),
    **_MARKS,
}

_OF_ALL_RULES: dict[str, Kind] = {
    "id": _ID,
    "name": _TEXT,
    "description": _TEXT,
    "businessImpact": _TEXT,
    "dimension": Text(("accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness")),
    "method": _TEXT,
    "schedule": _TEXT,
    "scheduler": _TEXT,
    "severity": _TEXT,
    "type": Text(("text", "library", "sql", "custom")),
    "unit": _TEXT,
    **_MARKS,
}
_OF_LIBRARY: dict[str, Kind] = {"metric": Text(METRICS), "rule": _TEXT, "arguments": Record({}, open=True)}
_OF_CUSTOM: dict[str, Kind] = {"engine": _TEXT, "implementation": Either("text or a mapping", scalar=_TEXT, mapping=Record({}, open=True))}


def _one_operator(rule: Mapping, say: Complaints) -> None:
    found = [key for key in rule.items if key in OPERATORS]
    if len(found) == 1 or (say.lenient and not found):
        return
    why = f"the standard allows exactly one; this rule has {' and '.join(f'`{f}`' for f in found) or 'none'}"
    at = rule.keys[found[1]] if found else rule
    hint = "use `mustBeBetween` for a range" if found else "add `mustBe: 0`"
    say.add("XDE0305", "a quality rule needs exactly one operator", at, "no operator" if not found else "a second one", why, hint)


_text_rule = Record(_OF_ALL_RULES)
_library_rule = Record({**_OF_ALL_RULES, **_OF_LIBRARY, **OPERATORS}, ("metric",), also=_one_operator)
_sql_rule = Record({**_OF_ALL_RULES, "query": _TEXT, **OPERATORS}, ("query",), also=_one_operator)
_sql_library_rule = Record({**_OF_ALL_RULES, **_OF_LIBRARY, "query": _TEXT, **OPERATORS}, ("query",), also=_one_operator)
_custom_rule = Record({**_OF_ALL_RULES, **_OF_CUSTOM}, ("engine", "implementation"))
_custom_library_rule = Record(
    {**_OF_ALL_RULES, **_OF_LIBRARY, **_OF_CUSTOM, **OPERATORS}, ("engine", "implementation", "metric"), also=_one_operator
)
_old_library_rule = Record({**_OF_ALL_RULES, **_OF_LIBRARY, "validValues": _ANY, **OPERATORS}, also=_one_operator)
_RULES = {
    ("library", True): _library_rule,
    ("library", False): _library_rule,
    ("", False): _text_rule,
    ("", True): _library_rule,
    ("text", False): _text_rule,
    ("text", True): _library_rule,
    ("sql", False): _sql_rule,
    ("sql", True): _sql_library_rule,
    ("custom", False): _custom_rule,
    ("custom", True): _custom_library_rule,
}


def _rule_kind(node: Node) -> Kind:
    if not isinstance(node, Mapping):
        return _text_rule
    if "rule" in node.items and "metric" not in node.items:
        return _old_library_rule
    return _RULES.get((node.text("type") or "", "metric" in node.items), _text_rule)


_QUALITY = ListOf(By(_rule_kind))

_REFERENCE = By(
    lambda node: (
        _QUALIFIED_REFERENCE if isinstance(node, Scalar) and isinstance(node.value, str) and "/" in node.value else _SHORT_REFERENCE
    )
)
_SHORT_REFERENCE: Text = Text(pattern=_SHORTHAND, wanted="`table.column`", example="customers.customer_id")
_QUALIFIED_REFERENCE: Text = Text(
    pattern=QUALIFIED, wanted="`file.yaml#/schema/ID/properties/ID`", example="crm.yaml#/schema/customers/properties/id"
)
_REFERENCES = Either("`table.column`, or a list of them", scalar=_REFERENCE, sequence=ListOf(_REFERENCE, least=1))


def _same_shape(node: Mapping, say: Complaints) -> None:
    here, there = node.items.get("from"), node.items.get("to")
    if here is not None and there is not None and type(here) is not type(there):
        say.wrong_value(there, "`from` and `to` must both be one column, or both be lists", hint="write both as lists of the same length")


_relationship: dict[str, Kind] = {"id": _TEXT, "type": Text(("foreignKey",)), "to": _REFERENCES, "customProperties": _CUSTOMS}
_TABLE_RELATIONSHIP = Record({**_relationship, "from": _REFERENCES}, ("from", "to"), also=_same_shape)
_COLUMN_RELATIONSHIP = Record(_relationship, ("to",))

_bound = Number(or_flag_when_lenient=True)


class _DateBound(Text):
    """A bound of a date: text, and in version 3.0 a flag."""

    def check(self, node: Node, name: str, say: Complaints) -> None:
        """Complain about everything else."""
        if not (say.lenient and isinstance(node, Scalar) and isinstance(node.value, bool)):
            super().check(node, name, say)


_number_options: dict[str, Kind] = {
    "multipleOf": Number(above=0),
    "minimum": _NUMBER,
    "maximum": _NUMBER,
    "exclusiveMinimum": _bound,
    "exclusiveMaximum": _bound,
}
_date_options: dict[str, Kind] = {
    "format": _TEXT,
    "minimum": _TEXT,
    "maximum": _TEXT,
    "exclusiveMinimum": _DateBound(),
    "exclusiveMaximum": _DateBound(),
}
_moment = Record({**_date_options, "timezone": _FLAG, "defaultTimezone": _TEXT})
_vector: dict[str, Kind] = {
    "dimensions": Number(whole=True, least=1),
    "elementType": Text(("bfloat16", "binary", "float16", "float32", "float64", "int8", "uint8")),
    "distanceMetric": Text(("cosine", "dotProduct", "euclidean", "hamming", "manhattan")),
    "embeddingModel": _TEXT,
    "embeddingModelVersion": _TEXT,
    "normalized": _FLAG,
}
_whole_formats = ("i8", "i16", "i32", "i64", "i128", "u8", "u16", "u32", "u64", "u128")
OPTIONS: dict[str, Record] = {
    "string": Record({"minLength": _COUNT, "maxLength": _COUNT, "pattern": _TEXT, "format": _TEXT}),
    "date": Record(_date_options),
    "timestamp": _moment,
    "time": _moment,
    "integer": Record({**_number_options, "format": Text(_whole_formats)}),
    "number": Record({**_number_options, "format": Text(("f32", "f64"))}),
    "object": Record({"minProperties": _COUNT, "maxProperties": _COUNT, "required": ListOf(_TEXT, least=1, unique=True)}),
    "array": Record({"minItems": _COUNT, "maxItems": _COUNT, "uniqueItems": _FLAG}),
    "vector": Record(_vector, ("dimensions",)),
}

_PROPERTY_FIELDS: dict[str, Kind] = {
    **_ELEMENT,
    "primaryKey": _FLAG,
    "primaryKeyPosition": _WHOLE,
    "logicalType": Text(LOGICAL_TYPES),
    "logicalTypeOptions": Record({}, open=True),
    "required": _FLAG,
    "unique": _FLAG,
    "semanticType": Text(("column", "measure", "dimension")),
    "partitioned": _FLAG,
    "partitionKeyPosition": _WHOLE,
    "classification": _TEXT,
    "encryptedName": _TEXT,
    "transformSourceObjects": _TEXTS,
    "transformLogic": _TEXT,
    "transformDescription": _TEXT,
    "examples": ListOf(_ANY),
    "enum": ListOf(
        Record({"value": _PLAIN, "label": _TEXT, "id": _ID, "description": _TEXT, **_MARKS}, ("value",)),
        least=1,
        unique=True,
    ),
    "criticalDataElement": _FLAG,
    "relationships": ListOf(_COLUMN_RELATIONSHIP),
    "quality": _QUALITY,
}
_item = By(lambda node: _ITEMS[_type_of(node)])
_column = By(lambda node: _COLUMNS[_type_of(node)])
_columns = ListOf(_column)


def _type_of(node: Node) -> str:
    found = node.text("logicalType") if isinstance(node, Mapping) else None
    return found if found in LOGICAL_TYPES else ""


def _of_type(name: str, *, item: bool) -> Record:
    fields = dict(_PROPERTY_FIELDS)
    if name in OPTIONS:
        fields["logicalTypeOptions"] = OPTIONS[name]
    if name == "object" or item:
        fields["properties"] = _columns
    if name == "array":
        fields["items"] = _item
    if name == "map":
        fields["map"] = Record({"key": _item, "value": _item}, ("key", "value"))
    if not name:
        fields |= {"properties": _columns, "items": _item, "map": _ANY}
    required = ("map",) if name == "map" else ()
    return Record(fields, required if item else ("name", *required))


_COLUMNS: dict[str, Record] = {name: _of_type(name, item=False) for name in ("", *LOGICAL_TYPES)}
_ITEMS: dict[str, Record] = {name: _of_type(name, item=True) for name in ("", *LOGICAL_TYPES)}

_TABLE = Record(
    {
        **_ELEMENT,
        "logicalType": Text(("object",)),
        "dataGranularityDescription": _TEXT,
        "properties": _columns,
        "relationships": ListOf(_TABLE_RELATIONSHIP),
        "quality": _QUALITY,
        "context": _CONTEXT,
    },
    ("name",),
)
_ROLE = Record(
    {
        "id": _ID,
        "role": _TEXT,
        "description": _TEXT,
        "access": _TEXT,
        "firstLevelApprovers": _TEXT,
        "secondLevelApprovers": _TEXT,
        "customProperties": _CUSTOMS,
    },
    ("role",),
)
_MEMBER = Record(
    {
        "id": _ID,
        "username": _TEXT,
        "name": _TEXT,
        "description": _TEXT,
        "role": _TEXT,
        "dateIn": _TEXT,
        "dateOut": _TEXT,
        "replacedByUsername": _TEXT,
        **_MARKS,
    },
    ("username",),
)
_TEAM = Either(
    "a mapping with `members`, or a list of members",
    sequence=ListOf(_MEMBER),
    mapping=Record({"id": _ID, "name": _TEXT, "description": _TEXT, "members": ListOf(_MEMBER), **_MARKS}),
)
_SUPPORT = Record(
    {
        "id": _ID,
        "channel": _TEXT,
        "url": _TEXT,
        "description": _TEXT,
        "tool": _TEXT,
        "scope": _TEXT,
        "invitationUrl": _TEXT,
        "customProperties": _CUSTOMS,
    },
    ("channel",),
)
_SERVICE_LEVEL = Record(
    {
        "id": _ID,
        "property": _TEXT,
        "value": _PLAIN,
        "valueExt": _PLAIN,
        "unit": _TEXT,
        "element": _TEXT,
        "driver": _TEXT,
        "description": _TEXT,
        "scheduler": _TEXT,
        "schedule": _TEXT,
        "customProperties": _CUSTOMS,
        "authoritativeDefinitions": _DEFINITIONS,
    },
    ("property", "value"),
)
_SERVER = server_kind(Record({"id": _ID, "description": _TEXT, "environment": _TEXT, "roles": ListOf(_ROLE), "customProperties": _CUSTOMS}))
CONTRACT = Record(
    {
        "version": _TEXT,
        "kind": Text(("DataContract",)),
        "apiVersion": Text(VERSIONS),
        "id": _TEXT,
        "name": _TEXT,
        "tenant": _TEXT,
        "tags": _TEXTS,
        "status": _TEXT,
        "servers": ListOf(_SERVER),
        "dataProduct": _TEXT,
        "description": Record(
            {
                "usage": _TEXT,
                "purpose": _TEXT,
                "limitations": _TEXT,
                "authoritativeDefinitions": _DEFINITIONS,
                "customProperties": _CUSTOMS,
            },
            open=True,
        ),
        "domain": _TEXT,
        "context": _CONTEXT,
        "schema": ListOf(_TABLE),
        "support": ListOf(_SUPPORT),
        "price": Record({"id": _ID, "priceAmount": _NUMBER, "priceCurrency": _TEXT, "priceUnit": _TEXT}),
        "team": _TEAM,
        "roles": ListOf(_ROLE),
        "slaDefaultElement": _TEXT,
        "slaProperties": ListOf(_SERVICE_LEVEL),
        "authoritativeDefinitions": _DEFINITIONS,
        "customProperties": _CUSTOMS,
        "contractCreatedTs": _TEXT,
    },
    ("version", "apiVersion", "kind", "id"),
    strict=True,
)
