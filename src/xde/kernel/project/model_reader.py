"""A SQL model's file divided into its head and its SQL, with every line where it was."""

from __future__ import annotations

import re

from xde.ground.digests import bytes_digest
from xde.ground.findings import Finding
from xde.ground.records import dataclass
from xde.ground.spans import Span
from xde.kernel.project.declarations import ModelDataset, ModelHead
from xde.kernel.project.model_head import read_head
from xde.kernel.project.yaml_reader import decoded

_BEFORE_HEAD = re.compile(r"(?:\s+|--[^\n]*)*")
_HEAD = re.compile(r"/\*+[ \t]*xde\b[ \t]*:?", re.IGNORECASE)
_LATE_HEAD = re.compile(r"^[ \t]*/\*+[ \t]*xde\b[ \t]*:?[ \t]*(?:\n|[a-z_{]+:)", re.MULTILINE)
# possessive, so that a long run of blanks before a word costs no more than its length
_NOTHING = re.compile(r"(?:[\s;]++|--[^\n]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/|\Z))*+\Z")
# what may hold a semicolon that ends nothing: texts, quoted names, comments, texts between dollars
_HOLDS = re.compile(
    r"""[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$|(?P<end>;)""", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class _Parts:
    head: ModelHead
    sql: str
    sql_line: int
    findings: list[Finding]


def read_model(name: str, path: str, content: bytes) -> tuple[ModelDataset | None, list[Finding]]:
    """The model that a file holds, without its contract, and what is wrong with it; None when it cannot be read or holds no SQL."""
    text, finding = decoded(content, path)
    if finding is not None:
        return None, [finding]
    parts = _divided(text.replace("\r\n", "\n"), path)
    sql = _without_end(parts.sql)
    span = Span(path, parts.sql_line)
    if any(finding.code == "XDE0130" for finding in parts.findings):
        return None, parts.findings
    if _NOTHING.match(sql):
        hint = "write a SELECT into it, or delete the file"
        empty = Finding("XDE0136", f"the model `{name}` holds no SQL", span, "nothing here", "only blanks and comments are there", hint)
        return None, [*parts.findings, empty]
    model = ModelDataset(name, path, sql, parts.sql_line, parts.head, bytes_digest(content), span=span)
    return model, parts.findings


def _without_end(sql: str) -> str:
    """The SQL without a semicolon at its end: it is put into other queries. Every other character stays in its place."""
    ends = [m.start() for m in _HOLDS.finditer(sql) if m["end"]] if ";" in sql else []
    while ends and _NOTHING.match(sql, ends[-1]):
        sql = f"{sql[: ends[-1]]} {sql[ends.pop() + 1 :]}"
    return sql


def sql_begins(text: str) -> int:
    """Where the SQL of a model's text begins: after its head and the rest of that line, or at 0. What stands before is not SQL."""
    before = _BEFORE_HEAD.match(text)
    opening = _HEAD.match(text, before.end() if before is not None else 0)
    end = text.find("*/", opening.end()) if opening is not None else -1
    if end < 0:
        return 0
    rest_of_line, newline, _ = text[end + 2 :].partition("\n")
    return end + 2 + (0 if rest_of_line.strip() else len(rest_of_line) + len(newline))


def _divided(text: str, path: str) -> _Parts:
    before = _BEFORE_HEAD.match(text)
    begin = before.end() if before is not None else 0
    opening = _HEAD.match(text, begin)
    if opening is None:
        return _Parts(ModelHead(), text, 1, _late_heads(text, path, 0))
    line = text.count("\n", 0, begin) + 1
    column = begin - text.rfind("\n", 0, begin)
    end = text.find("*/", opening.end())
    if end < 0:
        span = Span(path, line, column, line, column + opening.end() - begin)
        finding = Finding(
            "XDE0130", f"the head of `{path}` is not closed", span, "begins here", "there is no `*/` after it", "close it with `*/`"
        )
        return _Parts(ModelHead(), "", line, [finding])
    yaml = " " * (column - 1 + opening.end() - begin) + text[opening.end() : end]
    head, findings = read_head(yaml, path, line - 1)
    sql, sql_line = _after(text, end + 2)
    return _Parts(head, sql, sql_line, [*findings, *_late_heads(text, path, end + 2)])


def _after(text: str, end: int) -> tuple[str, int]:
    """The SQL after a head, and its line; what stands in the head's last line keeps its column."""
    line = text.count("\n", 0, end) + 1
    rest_of_line, newline, below = text[end:].partition("\n")
    if not rest_of_line.strip():
        return below, line + (1 if newline else 0)
    return " " * (end - text.rfind("\n", 0, end) - 1) + text[end:], line


def _late_heads(text: str, path: str, begin: int) -> list[Finding]:
    found = _LATE_HEAD.search(text, begin) if text.find("xde", begin) >= 0 else None
    if found is None:
        return []
    line = text.count("\n", 0, found.start()) + 1
    column = len(found.group()) - len(found.group().lstrip()) + 1
    why = "only the one that stands before all SQL is read"
    message = f"`{path}` has a head where none is read"
    return [Finding("XDE0137", message, Span(path, line, column), "too late", why, "move it to the top, and keep one")]
