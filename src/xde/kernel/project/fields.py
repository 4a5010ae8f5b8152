"""What a document may hold, said as data: kinds of field that check a part of a tree and complain, all of it, never only the first."""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING, ClassVar

from xde.ground.findings import Finding, Findings, Severity
from xde.ground.names import did_you_mean
from xde.ground.records import dataclass
from xde.kernel.project import tree
from xde.kernel.project.entries import as_entry, is_ours
from xde.kernel.project.tree import Node, Scalar, Sequence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

JsonSchema = dict[str, object]


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of the four things that can be wrong with a field; each kind of document has its own."""

    unknown: str
    missing: str
    type: str
    value: str


@dataclass(slots=True)
class Complaints:
    """Collects what is wrong with one document. When `lenient`, unknown and missing keys below the top are warnings."""

    codes: Codes
    findings: Findings = field(default_factory=Findings)
    lenient: bool = False

    def unknown(self, key: Scalar, known: Mapping[str, object], *, strict: bool, value: Node | None = None) -> None:
        """A key that the declaration does not have."""
        if "customProperties" in known and is_ours(key.text):
            why, hint = "the standard has no such word of its own", f"write into `customProperties`: `{as_entry(key.text, value)}`"
            self.add(self.codes.unknown, f"`{key.text}` is not known here", key, "unknown", why, hint, strict=strict)
            return
        hint = did_you_mean(key.text, known) or ("it may hold " + ", ".join(f"`{k}`" for k in list(known)[:8]) if known else "delete it")
        self.add(self.codes.unknown, f"`{key.text}` is not known here", key, "unknown", hint=hint, strict=strict)

    def missing(self, within: Node, name: str, *, strict: bool) -> None:
        """A key that must be there."""
        self.add(self.codes.missing, f"`{name}` is missing", within, f"has no `{name}`", hint=f"add `{name}: ...`", strict=strict)

    def wrong_type(self, node: Node, name: str, wanted: str, hint: str = "") -> None:
        """A value of another type than the declared one."""
        if isinstance(node, Scalar) and node.value is None:
            hint = "write a value, or leave the key out"
            self.add(self.codes.type, f"`{name}` is empty", node, "empty", f"it must be {wanted}", hint)
            return
        self.add(self.codes.type, f"`{name}` must be {wanted}", node, f"{node.kind}", hint=hint)

    def wrong_value(self, node: Node, message: str, why: str = "", hint: str = "") -> None:
        """A value of the right type that cannot be."""
        self.add(self.codes.value, message, node, "this value", why, hint)

    def add(  # noqa: PLR0913 - a finding is these parts together
        self, code: str, message: str, at: Node, label: str, why: str = "", hint: str = "", *, strict: bool = True
    ) -> None:
        """Say that something is wrong with a part of the document."""
        severity = Severity.WARNING if self.lenient and not strict else Severity.ERROR
        self.findings.items.append(Finding(code, message, at.span, label, why, hint, severity))


@dataclass(frozen=True)
class Kind:
    """A kind of field; `doc` is what an editor shows."""

    doc: str = field(default="", kw_only=True)

    def check(self, node: Node, name: str, say: Complaints) -> None:
        """Complain about everything that is wrong with a value."""
        raise NotImplementedError

    def schema(self) -> JsonSchema:
        """The same as JSON Schema, for editors."""
        raise NotImplementedError

    def _described(self, schema: JsonSchema) -> JsonSchema:
        return {"description": self.doc, **schema} if self.doc else schema


@dataclass(frozen=True)
class Text(Kind):
    """Text; perhaps one of a few words, or of a form that `wanted` describes."""

    choices: tuple[str, ...] = ()
    pattern: str = ""
    wanted: str = ""
    example: str = ""

    _compiled: ClassVar[dict[str, re.Pattern[str]]] = {}

    def check(self, node: Node, name: str, say: Complaints) -> None:
        """Complain about what is no text, and about texts that are not of the form."""
        value = node.value if isinstance(node, Scalar) else None
        if not isinstance(value, str):
            hint = f'put it into quotes: "{node.text}"' if isinstance(node, Scalar) else ""
            if isinstance(node, Scalar) and not (
                (not self.choices or node.text in self.choices) and (not self.pattern or self._matches(node.text))
            ):
                hint = f"write it like `{self.example}`" if self.example else f"it must be {self.wanted}" if self.wanted else ""
            say.wrong_type(node, name, "text", hint)
        elif self.choices and value not in self.choices:
            hint = did_you_mean(value, self.choices) or "one of " + ", ".join(f"`{c}`" for c in self.choices)
            say.wrong_value(node, f"`{name}` cannot be `{value}`", hint=hint)
        elif self.pattern and not self._matches(value):
            say.wrong_value(
                node,
                f"`{name}` cannot be `{value}`",
                f"it must be {self.wanted}",
                f"write it like `{self.example}`" if self.example else "",
            )

    def _matches(self, value: str) -> bool:
        compiled = self._compiled.get(self.pattern)
        if compiled is None:
            compiled = self._compiled[self.pattern] = re.compile(self.pattern)
        return compiled.search(value) is not None

    def schema(self) -> JsonSchema:
        """A string."""
        found: JsonSchema = {"type": "string"}
        if self.choices:
            found["enum"] = list(self.choices)
        if self.pattern:
            found["pattern"] = self.pattern
        if self.example:
            found["examples"] = [self.example]
        return self._described(found)


@dataclass(frozen=True)
class Number(Kind):
    """A number, perhaps whole, perhaps not below `least` or only `above` something."""

    whole: bool = False
    least: float | None = None
    above: float | None = None
    or_flag_when_lenient: bool = False

    def check(self, node: Node, name: str, say: Complaints) -> None:
        """Complain about what is no such number."""
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) and self.or_flag_when_lenient and say.lenient:
            return
        if isinstance(value, bool) or not isinstance(value, int | float):
            say.wrong_type(node, name, self._wanted, "take the quotes off" if isinstance(node, Scalar) and _numeric(node.text) else "")
        elif self.whole and not (isinstance(value, int) or value.is_integer()):
            say.wrong_type(node, name, self._wanted)
        elif self.least is not None and value < self.least:
            say.wrong_value(node, f"`{name}` must be at least {self.least:g}")
        elif self.above is not None and value <= self.above:
            say.wrong_value(node, f"`{name}` must be more than {self.above:g}")

    @property
    def _wanted(self) -> str:
        return "a whole number" if self.whole else "a number"

    def schema(self) -> JsonSchema:
        """A number."""
        found: JsonSchema = {"type": "integer" if self.whole else "number"}
        if self.least is not None:
            found["minimum"] = self.least
        if self.above is not None:
            found["exclusiveMinimum"] = self.above
        return self._described(found)


def _numeric(text: str) -> bool:
    return re.fullmatch(r"[-+]?[0-9]+(\.[0-9]*)?", text) is not None


@dataclass(frozen=True)
class Flag(Kind):
    """True or false."""

    def check(self, node: Node, name: str, say: Complaints) -> None:
        """Complain about everything else, `yes` and `no` among it."""
        if not (isinstance(node, Scalar) and isinstance(node.value, bool)):
            words = {"yes": "true", "on": "true", "y": "true", "1": "true", "no": "false", "off": "false", "n": "false", "0": "false"}
            meant = words.get(node.text.casefold()) if isinstance(node, Scalar) else None
            say.wrong_type(node, name, "`true` or `false`", f"write `{meant}`" if meant else "")

    def schema(self) -> JsonSchema:
        """A boolean."""
        return self._described({"type": "boolean"})


@dataclass(frozen=True)
class Anything(Kind):
    """Any value; when `plain`, not a list nor a mapping."""

    plain: bool = False

    def check(self, node: Node, name: str, say: Complaints) -> None:
        """Complain about a collection where a single value must be."""
        if self.plain and not isinstance(node, Scalar):
            say.wrong_type(node, name, "a single value")

    def schema(self) -> JsonSchema:
        """Whatever."""
        return self._described({"type": ["string", "number", "boolean", "null"]} if self.plain else {})


@dataclass(frozen=True)
class ListOf(Kind):
    """A list of one kind of item."""

    item: Kind
    least: int = 0
    most: int | None = None
    unique: bool = False

    def check(self, node: Node, name: str, say: Complaints) -> None:
        """Complain about each wrong item, and about too few, too many or equal ones."""
        if not isinstance(node, Sequence):
            hint = f"write `[{node.text}]`" if isinstance(node, Scalar) and node.text else ""
            first = next(iter(node.items.items()), None) if isinstance(node, tree.Mapping) and name == "customProperties" else None
            say.wrong_type(node, name, "a list", f"write `[{as_entry(*first)}]`" if first is not None else hint)
            return
        for item in node.items:
            self.item.check(item, name, say)
        if len(node.items) < self.least or (self.most is not None and len(node.items) > self.most):
            wanted = f"exactly {self.least}" if self.least == self.most else f"at least {self.least}"
            say.wrong_value(node, f"`{name}` must have {wanted} items", f"it has {len(node.items)}")
        if self.unique:
            self._check_unique(node, name, say)

    @staticmethod
    def _check_unique(node: Sequence, name: str, say: Complaints) -> None:
        seen: list[object] = []
        for item in node.items:
            data = _comparable(item.data())
            if data in seen:
                say.wrong_value(item, f"an item of `{name}` is there twice", hint="keep one of the two")
            seen.append(data)

    def schema(self) -> JsonSchema:
        """An array."""
        found: JsonSchema = {"type": "array", "items": self.item.schema()}
        if self.least:
            found["minItems"] = self.least
        if self.most is not None:
            found["maxItems"] = self.most
        if self.unique:
            found["uniqueItems"] = True
        return self._described(found)


def _comparable(data: object) -> object:
    """Data in which `true` differs from 1, as it does in JSON."""
    match data:
        case bool():
            return ("flag", data)
        case list():
            return [_comparable(item) for item in data]
        case dict():
            return {key: _comparable(item) for key, item in data.items()}
        case _:
            return data


@dataclass(frozen=True)
class MapOf(Kind):
    """Free keys, perhaps of a form, each with the same kind of value."""

    item: Kind
    key_pattern: str = ""
    key_wanted: str = ""

    def check(self, node: Node, name: str, say: Complaints) -> None:
        """Complain about each wrong key and value."""
        if not isinstance(node, tree.Mapping):
            say.wrong_type(node, name, "a mapping")
            return
        for key, item in node.items.items():
            if self.key_pattern and not re.search(self.key_pattern, key):
                say.wrong_value(node.keys[key], f"`{key}` cannot be a name in `{name}`", f"it must be {self.key_wanted}")
            self.item.check(item, key, say)

    def schema(self) -> JsonSchema:
        """An object with free keys."""
        found: JsonSchema = {"type": "object", "additionalProperties": self.item.schema()}
        if self.key_pattern:
            found["propertyNames"] = {"pattern": self.key_pattern}
        return self._described(found)


@dataclass(frozen=True)
class Record(Kind):
    """Known keys, each with its kind.

    `open` lets other keys pass; `strict` complains as loud in old documents; `also` checks what no kind can.
    """

    fields: Mapping[str, Kind]
    required: tuple[str, ...] = ()
    open: bool = False
    strict: bool = False
    also: Callable[[tree.Mapping, Complaints], None] | None = None

    def check(self, node: Node, name: str, say: Complaints) -> None:
        """Complain about unknown and missing keys and about each wrong value."""
        if not isinstance(node, tree.Mapping):
            words = self.required or tuple(self.fields)[:1]
            say.wrong_type(node, name, "a mapping", f"write it like `{{{', '.join(f'{w}: ...' for w in words)}}}`" if words else "")
            return
        fields = self.fields
        for key, item in node.items.items():
            kind = fields.get(key)
            if kind is not None:
                kind.check(item, key, say)
            elif not self.open:
                say.unknown(node.keys[key], fields, strict=self.strict, value=item)
        for key in self.required:
            if key not in node.items:
                say.missing(node, key, strict=self.strict)
        if self.also is not None:
            self.also(node, say)

    def with_fields(self, fields: Mapping[str, Kind], required: tuple[str, ...] = ()) -> Record:
        """The same record with more keys."""
        return Record({**self.fields, **fields}, (*self.required, *required), self.open, self.strict, self.also, doc=self.doc)

    def schema(self) -> JsonSchema:
        """An object with these keys."""
        found: JsonSchema = {"type": "object", "properties": {key: kind.schema() for key, kind in self.fields.items()}}
        if self.required:
            found["required"] = list(self.required)
        if not self.open:
            found["additionalProperties"] = False
        return self._described(found)


@dataclass(frozen=True)
class Either(Kind):
    """A single value, a list or a mapping: each with its own kind; `wanted` says what may be."""

    wanted: str
    scalar: Kind | None = None
    sequence: Kind | None = None
    mapping: Kind | None = None

    def check(self, node: Node, name: str, say: Complaints) -> None:
        """Check by the kind for the shape that is there."""
        kind = self.sequence if isinstance(node, Sequence) else self.mapping if isinstance(node, tree.Mapping) else self.scalar
        if kind is None:
            say.wrong_type(node, name, self.wanted)
        else:
            kind.check(node, name, say)

    def schema(self) -> JsonSchema:
        """Any of them."""
        kinds = [kind for kind in (self.scalar, self.sequence, self.mapping) if kind is not None]
        return self._described({"anyOf": [kind.schema() for kind in kinds]})


@dataclass(frozen=True)
class By(Kind):
    """A kind that depends on what is in the value, or that refers to itself."""

    choose: Callable[[Node], Kind]

    def check(self, node: Node, name: str, say: Complaints) -> None:
        """Check by the kind that is chosen."""
        self.choose(node).check(node, name, say)

    def schema(self) -> JsonSchema:
        """No schema of ours has a kind that depends."""
        return self._described({})


@dataclass(frozen=True)
class Empty(Kind):
    """Nothing, or another kind."""

    kind: Kind

    def check(self, node: Node, name: str, say: Complaints) -> None:
        """Complain only when there is something."""
        if not (isinstance(node, Scalar) and node.value is None):
            self.kind.check(node, name, say)

    def schema(self) -> JsonSchema:
        """Null, or the other."""
        return self._described({"anyOf": [{"type": "null"}, self.kind.schema()]})
