"""Cases read from a YAML file under `tests/`; every complaint with its place, and all of them at once."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.ground.findings import Finding, Findings
from xde.kernel.project.fields import Complaints
from xde.kernel.project.tree import Mapping, Node, Scalar, Sequence
from xde.kernel.project.yaml_reader import read_yaml
from xde.undercurrents.engineering.testing.case import FLOW, Case, Expectation, ExpectedLetter, Nested, RawFile, Round, Row, Table
from xde.undercurrents.engineering.testing.words import CODES, FILE

if TYPE_CHECKING:
    from collections.abc import Callable

    from xde.ground.spans import Span
    from xde.undercurrents.engineering.testing.case import Cell

_WHAT = ("model", "source", "flow")  # words that say what is tested


def read_cases(content: bytes, path: str, fixture: Callable[[str], bytes | None]) -> tuple[tuple[Case, ...], list[Finding]]:
    """The cases of a file. `fixture` gives the bytes of a file by its path relative to the project, or None."""
    root, findings = read_yaml(content, path)
    if root is None:
        return (), findings
    say = Complaints(CODES)
    FILE.check(root, path, say)
    if say.findings.errors:
        return (), [*findings, *say.findings]
    reading = _Reading(root, path, fixture)
    cases = reading.cases()
    return cases, [*findings, *say.findings, *reading.findings]


@dataclass(slots=True)
class _Reading:
    root: Mapping
    path: str
    fixture: Callable[[str], bytes | None]
    findings: Findings = field(default_factory=Findings)
    used: list[str] = field(default_factory=list)

    def cases(self) -> tuple[Case, ...]:
        """Every case that names what it tests."""
        found: dict[str, Case] = {}
        for node in self.root.mappings("cases"):
            case = self._case(node)
            if case is not None and case.name in found:
                hint = "give each case of a file a name of its own"
                self._say("XDE0904", f"two cases are named `{case.name}`", node.place("name"), "named before", hint=hint)
            elif case is not None:
                found[case.name] = case
        return tuple(found.values())

    def _case(self, node: Mapping) -> Case | None:
        own = node if any(w in node.items for w in _WHAT) else self.root
        word = next((w for w in _WHAT if w in own.items), None)
        if word is None:
            hint = "write `model: schema.name` (or `source: schema.name`, or `flow: name`) at the head of the file or in the case"
            self._say("XDE0902", f"nobody says what `{node.text('name')}` tests", node.place("name"), "of what?", hint=hint)
            return None
        self.used = []
        before = len(self.findings.items)
        shared = self._tables(self.root.mapping("given"))
        first = self._round(node, shared)
        later = [self._round(run, {}) for run in node.mappings("runs")]
        if later:
            one = later[0]
            rounds = (replace(one, given={**first.given, **one.given}, raw=(*first.raw, *one.raw)), *later[1:])
        else:
            rounds = (first,)
        self._within_reach(node, rounds)
        call = node.text("call") or self.root.text("call")
        self._of_its_kind(node, word, rounds, call)
        cassette = self._cassette(node, rounds)
        if len(self.findings.items) > before:
            return None
        parameters = {**self._parameters(self.root), **self._parameters(node)}
        return Case(
            name=node.text("name") or "",
            dataset=(FLOW if word == "flow" else "") + (own.text(word) or ""),
            path=self.path,
            rounds=rounds,
            parameters=parameters,
            now=self._text(node, "now") or self._text(self.root, "now"),
            cte=node.text("cte"),
            tags=node.texts("tags"),
            description=node.text("description") or "",
            span=node.place("name"),
            dataset_span=own.place(word),
            digest=digest(
                node.data(),
                self.root.value("given"),
                self.root.value("parameters"),
                self.root.value("now"),
                own.text(word),
                self.used,
                *([call, self._types(self.root)] if word == "flow" else []),
            ),
            call=call if word == "flow" else None,
            types={**self._types(self.root), **self._types(node)} if word == "flow" else {},
            cassette=cassette,
        )

    @staticmethod
    def _types(node: Mapping) -> dict[str, dict[str, str]]:
        given = node.mapping("types")
        found = given.data() if given is not None else {}
        return {n: {c: str(t) for c, t in kinds.items()} for n, kinds in found.items() if isinstance(kinds, dict)}

    def _of_its_kind(self, node: Mapping, word: str, rounds: tuple[Round, ...], call: str | None) -> None:
        """What a model, a source and a flow do not share."""
        if word == "flow":
            self._of_a_flow(node, rounds, call)
            return
        for key in ("call", "types"):
            if key in node.items or (key in self.root.items and "flow" not in self.root.items):
                place = (node if key in node.items else self.root).place(key)
                self._say("XDE0903", f"`{key}` belongs to a case of a flow", place, "not here", hint="write `flow: name`, or leave it out")
        for part in rounds:
            for name, table in (*part.given.items(), *part.add.items()):
                if "." not in name:
                    hint = "write it as `schema.name`"
                    self._say("XDE0903", f"`{name}` is no dataset's name, `schema.name`", table.span, "not a dataset's name", hint=hint)
            if part.expect.as_full and word == "source":
                why = "a source has nothing to be computed in full"
                self._say("XDE0903", "`asFull` belongs to a model", part.expect.span, "not here", why, "say what rows are expected")

    def _cassette(self, node: Mapping, rounds: tuple[Round, ...]) -> str | None:
        """The folder of recorded answers; what stands in its files is a part of the case."""
        folder = node.text("cassette")
        if folder is None:
            return None
        if any(r.raw or r.given or r.add for r in rounds):
            why = "what the source gives is on the cassette"
            self._say("XDE0903", "a case with a `cassette` is given nothing else", node.place("cassette"), "this too", why, "leave one out")
        number = 0
        while (content := self.fixture(f"{folder}/{number + 1:03}.http")) is not None:
            number += 1
            self.used.append(digest(folder, number, content.hex()))
        if not number:
            why = "paths are relative to the project's folder, and its first file is `001.http`"
            self._say(
                "XDE0906", f"there is no cassette `{folder}`", node.place("cassette"), "not there", why, "make one: `xde record SOURCE`"
            )
        return folder

    def _of_a_flow(self, node: Mapping, rounds: tuple[Round, ...], call: str | None) -> None:
        only = rounds[0].expect
        if not call:
            hint = "write `call: name(table, key := column)` with the names that stand under `given`"
            self._say("XDE0901", "a case of a flow says how it is called", node.place("name"), "without `call`", hint=hint)
        there = {"runs": "runs" in node.items, "cte": "cte" in node.items, "raw": bool(rounds[0].raw), "add": "add" in node.items}
        there |= {"contract": only.contract, "asFull": only.as_full, "letters": only.letters is not None or only.letter_count is not None}
        for key in (k for k, is_there in there.items() if is_there):
            why = "a flow is a function: rows go in, and rows come out"
            self._say("XDE0903", f"`{key}` has no meaning for a flow", node.place("name"), "this case", why, "leave it out")

    def _within_reach(self, node: Mapping, rounds: tuple[Round, ...]) -> None:
        """The order of given rows is looked at in a plain run only, and a contract is that of a whole model."""
        only = rounds[0]
        several = len(rounds) > 1 or bool(only.raw) or only.expect.finding is not None or only.expect.letters is not None
        several = several or only.expect.as_full
        for part in rounds:
            if part.expect.any_order and several:
                why = "with several runs, raw lines, findings or letters it is carried out once, as it stands"
                self._say("XDE0903", "`anyOrder` belongs to a case of one plain run", part.expect.span, "not here", why, "leave it out")
            if part.expect.contract and node.text("cte") is not None:
                why = "a contract is one of the whole model"
                self._say("XDE0903", "a part of a model has no contract", part.expect.span, "not here", why, "leave `contract` out")

    def _round(self, node: Mapping, shared: dict[str, Table]) -> Round:
        given = {**shared, **self._tables(node.mapping("given"))}
        added = self._tables(node.mapping("add"))
        return Round(given, added, self._raw(node), self._expectation(node), self._text(node, "now"), node.flag("full"))

    @staticmethod
    def _text(node: Mapping, key: str) -> str | None:
        item = node.items.get(key)
        return item.text if isinstance(item, Scalar) else None

    @staticmethod
    def _parameters(node: Mapping) -> dict[str, object]:
        given = node.mapping("parameters")
        return given.data() if given is not None else {}

    def _tables(self, node: Mapping | None) -> dict[str, Table]:
        if node is None:
            return {}
        return {name: self._table(item) for name, item in node.items.items()}

    def _table(self, node: Node) -> Table:
        match node:
            case Sequence():
                return Table(tuple(_row(item) for item in node.items if isinstance(item, Mapping)), span=node.span)
            case Mapping() if (text := node.text("csv")) is not None:
                return Table(_csv(text, node.place("csv")), span=node.span)
            case Mapping() if (text := node.text("ndjson")) is not None:
                return Table(self._ndjson(text, node.place("ndjson")), span=node.span)
            case Mapping() if node.text("file") is not None:
                return self._file(node.text("file") or "", node.place("file"))
            case _:
                return Table(span=node.span)

    def _file(self, name: str, span: Span) -> Table:
        content = self._content(name, span)
        if content is None:
            return Table(span=span)
        if name.endswith(".parquet"):
            return Table(parquet=name, span=span)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self._say(
                "XDE0906",
                f"`{name}` is not UTF-8 text",
                span,
                "not text",
                f"byte {error.start + 1} belongs to no character",
                "save it in UTF-8",
            )
            return Table(span=span)
        if name.endswith((".ndjson", ".jsonl")):
            return Table(self._ndjson(text, span), span=span)
        if name.endswith(".csv"):
            return Table(_csv(text, span), span=span)
        self._say(
            "XDE0906", f"`{name}` is no fixture that can be read", span, "unknown ending", hint="name a .csv, .ndjson or .parquet file"
        )
        return Table(span=span)

    def _content(self, name: str, span: Span) -> bytes | None:
        content = self.fixture(name)
        if content is None:
            why = "paths are relative to the project's folder"
            self._say("XDE0906", f"there is no file `{name}`", span, "not there", why, "write the path as from the project's folder")
        else:
            self.used.append(digest(name, content.hex()))
        return content

    def _ndjson(self, text: str, span: Span) -> tuple[Row, ...]:
        rows: list[Row] = []
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except ValueError as error:
                self._say("XDE0906", f"line {number} is no JSON", span, "not JSON", str(error), "write one `{...}` a line")
                continue
            if not isinstance(record, dict):
                self._say("XDE0906", f"line {number} is no record", span, "no record", "", "write one `{...}` a line")
                continue
            rows.append(Row({k: _json_cell(v) for k, v in record.items()}, span))
        return tuple(rows)

    def _raw(self, node: Mapping) -> tuple[RawFile, ...]:
        found: list[RawFile] = []
        text = node.text("raw")
        if text is not None:
            found.append(RawFile(None, text.encode(), node.place("raw")))
        several = node.items.get("files")
        for item in several.items if isinstance(several, Sequence) else ():
            if isinstance(item, Scalar):
                content = self._content(item.text, item.span)
                found += [RawFile(item.text.rpartition("/")[2], content, item.span)] if content is not None else []
            elif isinstance(item, Mapping):
                found.append(RawFile(item.text("name"), (item.text("content") or "").encode(), item.span))
        return tuple(found)

    def _expectation(self, node: Mapping) -> Expectation:
        item = node.items.get("expect")
        if item is None:
            return Expectation(span=node.span)
        if isinstance(item, Sequence):
            return Expectation(self._table(item), span=item.span)
        if not isinstance(item, Mapping):
            return Expectation(span=item.span)
        rows = item.items.get("rows")
        letters = item.items.get("letters")
        tolerance = item.value("tolerance")
        return Expectation(
            rows=self._table(rows) if rows is not None else None,
            ordered=item.flag("ordered"),
            whole=item.flag("whole"),
            contract=item.flag("contract"),
            any_order=item.flag("anyOrder"),
            as_full=item.flag("asFull"),
            tolerance=float(tolerance) if isinstance(tolerance, int | float) else 1e-9,
            finding=item.text("finding"),
            letters=tuple(_letter(m) for m in item.mappings("letters")) if letters is not None else None,
            letter_count=item.whole("letters")
            if isinstance(letters, Scalar)
            else (0 if isinstance(letters, Sequence) and not letters.items else None),
            span=item.span,
        )

    def _say(self, code: str, message: str, span: Span | None, label: str = "", why: str = "", hint: str = "") -> None:
        self.findings.add(Finding(code, message, span, label, why, hint))


def _letter(node: Mapping) -> ExpectedLetter:
    return ExpectedLetter(node.whole("line"), node.text("column"), node.text("rule"), node.text("reason"), node.text("raw"), node.span)


def _row(node: Mapping) -> Row:
    return Row({k: _cell(v) for k, v in node.items.items()}, node.span, {k: v.span for k, v in node.items.items()})


def _cell(node: Node) -> Cell:
    """A scalar keeps its own text, so that `007` is what it is in a column of texts; lists and mappings become JSON."""
    if not isinstance(node, Scalar):
        return Nested(json.dumps(node.data(), default=str))
    if node.value is None:
        return None
    if isinstance(node.value, float) and not math.isfinite(node.value):
        return str(node.value)
    return node.text


def _json_cell(value: object) -> Cell:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case list() | dict():
            return Nested(json.dumps(value))
        case _:
            return str(value)


def _csv(text: str, span: Span) -> tuple[Row, ...]:
    """Rows of a CSV with a header; an empty field is NULL. Lines are placed where they are written, if they stand in the case itself."""
    reader = csv.reader(io.StringIO(text.lstrip("\n")))
    header = [name.strip() for name in next(reader, [])]
    return tuple(Row({h: (v if v != "" else None) for h, v in zip(header, record, strict=False)}, span) for record in reader if record)
