"""What the YAML parser stumbles over, in words that a user can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.findings import Finding
from xde.ground.spans import Span

if TYPE_CHECKING:
    import yaml

_INDENT = "indent the lines of one block alike, with spaces"
# what the parser says; what it means; how to mend it
_KNOWN = (
    (
        "mapping values are not allowed",
        "a `: ` stands where no key can be",
        "quote a text that holds `: `, and indent keys of one block alike",
    ),
    ("found unexpected ':'", "a `:` stands where none can be", "put a blank after the `:` of a key, and quotes around a text with `:`"),
    ("did not find expected alphabetic", "`*` and `&` begin references in YAML", 'put the text into quotes, like "*.csv"'),
    ("did not find expected ',' or ']'", "a `[` is not closed", "close the list with `]`"),
    ("did not find expected ',' or '}'", "a `{` is not closed", "close the mapping with `}`"),
    ("found unexpected end of stream", "a quote is not closed", "close the quote"),
    ("did not find expected '-'", "this line is no item of the list above", _INDENT),
    ("did not find expected key", "this is no key of the mapping above", _INDENT + ", and quote the whole of a text or nothing of it"),
    ("could not find expected ':'", "a key without `:`", "write `key: value`"),
    ("did not find expected node content", "a value is missing", "put a text that begins with a bracket into quotes"),
    ("found unknown escape", "an unknown escape in double quotes", "use single quotes, in which `\\` is only a `\\`"),
    ("did not find URI escaped", "an unknown escape in a tag", "delete the tag"),
    ("undefined tag", "a tag that is not declared", "put a text that begins with `!` into quotes"),
    ("tab", "a tab", "indent with spaces"),
)
_STARTS = {
    "\t": ("a tab stands where the indent should be", "indent with spaces"),
    "@": ("no text begins with `@` in YAML", "put it into quotes"),
    "`": ("no text begins with a back-tick in YAML", "put it into quotes"),
    "%": ("no text begins with `%` in YAML", "put it into quotes"),
}


def syntax_finding(error: yaml.YAMLError, text: str, path: str, lines_before: int) -> Finding:
    """The finding for an error of the parser, at the place where the trouble begins rather than where it was noticed."""
    problem = str(getattr(error, "problem", None) or error)
    mark = getattr(error, "problem_mark", None)
    unclosed = any(word in problem for word in ("expected ',' or", "end of stream", "could not find expected ':'"))
    begin = getattr(error, "context_mark", None)
    at = begin if unclosed and begin is not None else mark
    line, column = (at.line, at.column) if at is not None else (0, 0)
    what, hint = _explained(problem, _character(text, line, column))
    span = Span(path, line + 1 + lines_before, column + 1)
    return Finding("XDE0104", f"`{path}` is not YAML: {what}", span, "here", f"the parser says: {problem}", hint)


def _character(text: str, line: int, column: int) -> str:
    lines = text.splitlines()
    rest = lines[line][column:] if line < len(lines) else ""
    return rest[:1]


def _explained(problem: str, character: str) -> tuple[str, str]:
    if "cannot start any token" in problem and character in _STARTS:
        return _STARTS[character]
    for said, what, hint in _KNOWN:
        if said in problem:
            return what, hint
    return problem, "an editor that knows YAML shows where it breaks"
