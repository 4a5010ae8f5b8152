"""YAML by the rules of version 1.2, with the place of every key and value; whatever is wrong with a file is a finding, never an error.

The parser of libyaml gives events; the tree is put together here, without recursion, so that no file can be too deep, too large or too
entangled for us: aliases share one node, and the size they would have if written out is bounded.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol, cast

import yaml

from xde.ground.findings import Finding
from xde.ground.spans import Span
from xde.kernel.project.scalars import resolved
from xde.kernel.project.tree import Mapping, Node, Scalar, Sequence
from xde.kernel.project.yaml_errors import syntax_finding

if TYPE_CHECKING:
    from collections.abc import Callable

    from xde.kernel.project.tree import Plain

MOST_BYTES = 4_000_000
MOST_DEPTH = 100
MOST_NODES = 250_000

_LOADER = yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_CORE = "tag:yaml.org,2002:"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class _Mark(Protocol):
    index: int
    line: int
    column: int


class _Event(Protocol):
    """What we use of the parser's events; each has some of these."""

    start_mark: _Mark
    end_mark: _Mark
    anchor: str | None
    tag: str | None
    implicit: tuple[bool, bool]
    value: str
    style: str | None


class _Stop(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def decoded(content: bytes, path: str) -> tuple[str, Finding | None]:
    """The text of a file, or why it is none: bytes that are not UTF-8, another encoding, NUL bytes, a size beyond all reason."""
    if len(content) > MOST_BYTES:
        why = f"it has {len(content):,} bytes; more than {MOST_BYTES:,} are not read"
        return "", Finding("XDE0107", f"`{path}` is too large", Span(path), why=why, hint="data belongs into the files of a source")
    if content.startswith(_UTF16):
        return "", _not_text(path, content, 0, "it is written in UTF-16")
    if (nul := content.find(b"\0")) >= 0:
        return "", _not_text(path, content, nul, "it holds a NUL byte: a binary file, or one that was half written")
    try:
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        return "", _not_text(path, content, error.start, f"byte 0x{content[error.start]:02x} does not belong to any character of UTF-8")


def _not_text(path: str, content: bytes, offset: int, why: str) -> Finding:
    before = content[:offset]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    return Finding("XDE0103", f"`{path}` is not UTF-8 text", Span(path, line, column), "here", why, "save the file in UTF-8")


def read_yaml(content: bytes, path: str) -> tuple[Mapping | None, list[Finding]]:
    """The mapping that a file holds; None when it holds none, and the findings say why."""
    text, finding = decoded(content, path)
    return (None, [finding]) if finding else read_yaml_text(text, path)


def read_yaml_text(text: str, path: str, lines_before: int = 0) -> tuple[Mapping | None, list[Finding]]:
    """The same for a text that begins `lines_before` lines down in its file."""
    if found := _FORBIDDEN.search(text):
        line, column = text.count("\n", 0, found.start()) + 1 + lines_before, found.start() - text.rfind("\n", 0, found.start())
        why = f"the character U+{ord(found.group()):04X} cannot stand in YAML"
        return None, [Finding("XDE0103", f"`{path}` holds a control character", Span(path, line, column), "here", why, "delete it")]
    composer = _Composer(path, lines_before)
    try:
        root = composer.compose(text)
    except _Stop as stop:
        return None, [*composer.findings, stop.finding]
    except yaml.YAMLError as error:
        return None, [*composer.findings, syntax_finding(error, text, path, lines_before)]
    if isinstance(root, Mapping):
        return root, composer.findings
    return None, [*composer.findings, _no_mapping(root, path, lines_before)]


def _no_mapping(root: Node | None, path: str, lines_before: int) -> Finding:
    if root is None or (isinstance(root, Scalar) and root.value is None):
        return Finding("XDE0109", f"`{path}` is empty", Span(path, lines_before + 1), hint="write `key: value` lines into it, or delete it")
    why = f"the whole of it is {root.kind}"
    return Finding("XDE0109", f"`{path}` is not made of `key: value` lines", root.span, "not a mapping", why, "begin each line with `key:`")


class _Open:
    """A collection that is still being read."""

    __slots__ = ("anchor", "begun_at", "flow", "height", "key", "no_name", "node")

    def __init__(self, node: Mapping | Sequence, anchor: str | None, begun_at: int, *, flow: bool) -> None:
        self.node = node
        self.anchor = anchor
        self.begun_at = begun_at
        self.flow = flow
        self.height = 1  # levels that it has, itself among them
        self.key: Scalar | None = None
        self.no_name = False  # the key is no name: its value is passed over


class _Composer:
    """Puts events together to a tree."""

    def __init__(self, path: str, lines_before: int) -> None:
        self.path = path
        self.down = lines_before + 1
        self.findings: list[Finding] = []
        self.root: Node | None = None
        self.open: list[_Open] = []
        self.anchors: dict[str, tuple[Node, int, int]] = {}  # the node, its values if written out, its levels
        self.count = 0
        self.aliases = 0
        self.documents = 0

    def compose(self, text: str) -> Node | None:
        """The root of the first document."""
        next_event = cast("Callable[[], _Event | None]", _LOADER(text).get_event)
        while (event := next_event()) is not None:
            kind: type[object] = type(event)
            if kind is yaml.ScalarEvent:
                self._scalar(event)
            elif kind is yaml.MappingStartEvent:
                self._begin(event, Mapping(self.path, self._start_of(event)))
            elif kind is yaml.SequenceStartEvent:
                self._begin(event, Sequence(self.path, self._start_of(event)))
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self._end(event)
            elif kind is yaml.AliasEvent:
                self._alias(event)
            elif kind is yaml.DocumentStartEvent:
                self._document(event)
        return self.root

    def _place(self, event: _Event) -> tuple[int, int, int, int]:
        start, end = event.start_mark, event.end_mark
        return start.line + self.down, start.column + 1, end.line + self.down, end.column + 1

    def _start_of(self, event: _Event) -> tuple[int, int, int, int]:
        start = event.start_mark
        line, column = start.line + self.down, start.column + 1
        return line, column, line, column + 1

    def _span(self, event: _Event) -> Span:
        return Span(self.path, *self._place(event))

    def _scalar(self, event: _Event) -> None:
        text = event.value
        plain = resolved(text) if event.implicit[0] else text
        value = plain if event.tag is None else self._tagged(event, event.tag)
        place = self._start_of(event) if event.style in {"|", ">"} else self._place(event)
        node = Scalar(self.path, place, text, value)
        self._count(1, node)
        if event.anchor is not None:
            self.anchors[event.anchor] = (node, 1, 0)
        self._put(node)

    def _tagged(self, event: _Event, tag: str) -> Plain:
        if tag.removeprefix(_CORE) in {"int", "float", "bool", "null"}:
            return resolved(event.value)
        self._check_tag(event, tag)
        return event.value

    def _check_tag(self, event: _Event, tag: str) -> None:
        if tag in {"!", _CORE + "map", _CORE + "seq", _CORE + "str"}:
            return
        shown = tag.replace(_CORE, "!!")
        why = "a tag makes a program of a text; here a text is only a text"
        self.findings.append(Finding("XDE0108", f"the tag `{shown}` is not read", self._span(event), "tag", why, f"delete `{shown}`"))

    def _begin(self, event: _Event, node: Mapping | Sequence) -> None:
        if event.tag is not None:
            self._check_tag(event, event.tag)
        self._count(1, node)
        self._rise(1, node)
        self._put(node)
        self.open.append(_Open(node, event.anchor, self.count, flow=bool(event.end_mark.index > event.start_mark.index)))

    def _end(self, event: _Event) -> None:
        done = self.open.pop()
        if self.open:
            self.open[-1].height = max(self.open[-1].height, done.height + 1)
        if done.flow:
            done.node.end_line, done.node.end_column = event.end_mark.line + self.down, event.end_mark.column + 1
        if isinstance(done.node, Mapping) and "<<" in done.node.items:
            self._merge(done.node)
        if done.anchor is not None:
            self.anchors[done.anchor] = (done.node, self.count - done.begun_at + 1, done.height)

    def _alias(self, event: _Event) -> None:
        if event.anchor not in self.anchors:
            why = f"no value above it is marked `&{event.anchor}`, or that value is not complete yet"
            hint = "put a text that begins with `*` into quotes"
            raise _Stop(Finding("XDE0106", f"`*{event.anchor}` refers to nothing", self._span(event), "not known", why, hint))
        node, size, height = self.anchors[event.anchor]
        self.aliases += 1
        here = Scalar(self.path, self._place(event), "", None)
        self._rise(height, here)
        if self.open:
            self.open[-1].height = max(self.open[-1].height, height + 1)
        self._count(size, here)
        self._put(node)

    def _document(self, event: _Event) -> None:
        self.documents += 1
        if self.documents > 1:
            hint = "make a file of each document"
            raise _Stop(
                Finding(
                    "XDE0108", f"`{self.path}` holds a second document", self._span(event), "begins here", "a file is one document", hint
                )
            )

    def _count(self, size: int, node: Node) -> None:
        self.count += size
        if self.count <= MOST_NODES:
            return
        why = f"it stands for more than {MOST_NODES:,} values"
        if self.aliases:
            raise _Stop(
                Finding("XDE0106", f"the aliases of `{self.path}` multiply beyond measure", node.span, "one too many", why, "write it out")
            )
        raise _Stop(Finding("XDE0107", f"`{self.path}` is too large", node.span, "one too many", why, "data does not belong in here"))

    def _rise(self, levels: int, node: Node) -> None:
        if len(self.open) + levels > MOST_DEPTH:
            why = f"brackets, indents or aliases go deeper than {MOST_DEPTH} levels"
            raise _Stop(Finding("XDE0107", f"`{self.path}` is nested too deeply", node.span, "too deep", why, "make it flatter"))

    def _put(self, node: Node) -> None:
        """Hang a node where the reading stands."""
        if not self.open:
            self.root = node
            return
        into = self.open[-1]
        parent = into.node
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif into.key is None:
            into.key = self._key(node)
            into.no_name = into.key is not node
        else:
            if not into.no_name:
                self._enter(parent, into.key, node)
            into.key = None

    def _key(self, node: Node) -> Scalar:
        if isinstance(node, Scalar):
            return node
        hint = "a text that begins with `{`, `[` or `?` needs quotes"
        self.findings.append(Finding("XDE0108", f"a key is {node.kind}", node.span, "not a name", "a key is one word here", hint))
        return Scalar(self.path, (node.line, node.column, node.end_line, node.end_column), "", "")

    def _enter(self, parent: Mapping, key: Scalar, node: Node) -> None:
        name = key.text
        if name in parent.keys:
            why = f"it stands in line {parent.keys[name].line} already"
            self.findings.append(Finding("XDE0105", f"the key `{name}` is there twice", key.span, "again", why, "keep one of the two"))
            return
        parent.keys[name] = key
        parent.items[name] = node

    def _merge(self, into: Mapping) -> None:
        key, given = into.keys.pop("<<"), into.items.pop("<<")
        wanted = given.items if isinstance(given, Sequence) else [given]
        for source in wanted:
            if not isinstance(source, Mapping):
                why = f"it is {source.kind}"
                self.findings.append(
                    Finding("XDE0108", "only a mapping can be merged by `<<`", key.span, "merges", why, "write `<<: *name`")
                )
                continue
            for name, node in source.items.items():
                if name not in into.items:
                    into.keys[name], into.items[name] = source.keys[name], node
