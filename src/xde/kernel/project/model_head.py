"""The YAML comment at the head of a SQL model: which words it knows, which go together, and what they say."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from xde.kernel.project.arranging import PART
from xde.kernel.project.declarations import Kind, ModelHead
from xde.kernel.project.fields import Codes, Complaints, Either, ListOf, Number, Record, Text
from xde.kernel.project.lint_words import LINT, read_allowance
from xde.kernel.project.tree import Mapping, Scalar
from xde.kernel.project.yaml_reader import read_yaml_text

if TYPE_CHECKING:
    from xde.ground.findings import Finding

WRITTEN = tuple(k.value for k in Kind if k is not Kind.SEED)
"""The kinds that a head may name: a seed is a file of another kind."""
CODES = Codes(unknown="XDE0131", missing="XDE0135", type="XDE0133", value="XDE0132")

DURATION = r"^([0-9]+(\.[0-9]+)? *(hours?|days?|weeks?)|P(?=.)([0-9]+W)?([0-9]+D)?(T[0-9]+H)?)$"
WATERMARK = r"^([0-9]+(\.[0-9]+)?) *(seconds?|minutes?|hours?|days?|weeks?)$"
LATE, EMIT = ("update", "separate", "drop"), ("on_update", "on_close")
_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?)?$"
_column = Text(pattern=r"\S", wanted="the name of a column")
_part = Text(pattern=PART, wanted="a column, `month(COLUMN)` or `bucket(NUMBER, COLUMN)`", example="month(day)")
_moment = Text(pattern=_MOMENT, wanted="a date or timestamp by ISO 8601", example="2013-01-01")
_start = Text(pattern=_MOMENT, wanted=_moment.wanted, example=_moment.example, doc="First moment of the first interval")
_end = Text(pattern=_MOMENT, wanted=_moment.wanted, example=_moment.example, doc="Moment at which the last interval ends; it is not in it")


def _check(node: Mapping, say: Complaints) -> None:
    kind = node.text("kind") or ""
    if kind in WRITTEN or "kind" not in node.items:
        _check_together(node, kind or Kind.TABLE.value, say)
    start, end = node.text("start"), node.text("end")
    moments = [_parsed(text) for text in (start, end) if text is not None and re.match(_MOMENT, text)]
    for key, text in (("start", start), ("end", end)):
        if text is not None and re.match(_MOMENT, text) and _parsed(text) is None:
            say.wrong_value(node.items[key], f"`{text}` is not in the calendar", hint="write an ISO date such as `2013-01-31`")
    if len(moments) == 2 and moments[0] is not None and moments[1] is not None and moments[0] >= moments[1]:
        say.wrong_value(
            node.items["end"], "`end` is not after `start`", f"`start` is `{start}`", "the first moment that is no longer wanted"
        )


def _check_together(node: Mapping, kind: str, say: Complaints) -> None:
    match kind:
        case Kind.INCREMENTAL:
            _check_incremental(node, say)
        case Kind.HISTORY:
            _check_history(node, say)
        case _:
            why = f"the kind of this model is `{kind}`, which is not built in parts"
            for word in ("time", "key"):
                if word in node.items:
                    _say_alone(say, node, word, f"`{word}` belongs to `kind: incremental`", why, "write `kind: incremental`")
    _check_versions(node, kind, say)
    _check_words_of_windows(node, kind, say)
    for word in ("partition", "sort") if kind in {Kind.VIEW, Kind.EPHEMERAL} else ():
        if word in node.items:
            why = f"the kind of this model is `{kind}`, which has no files"
            _say_alone(say, node, word, f"`{word}` is about the files of a table", why, f"write `kind: table`, or delete `{word}`")
    if "time" in node.items and kind == Kind.INCREMENTAL:
        return
    for word in ("lookback", "grain", "start", "end", "batch"):
        if word in node.items:
            why = "it concerns intervals of time, and this model has none"
            _say_alone(say, node, word, f"`{word}` needs `time`", why, f"add `time: COLUMN`, or delete `{word}`")


def _check_versions(node: Mapping, kind: str, say: Complaints) -> None:
    by_key = kind == Kind.HISTORY or (kind == Kind.INCREMENTAL and not {"time", "watermark"} & set(node.items))
    why = f"it says how versions of a row are told apart, and the kind of this model is `{kind}`"
    for word in ("updated", "columns") if kind != Kind.HISTORY else ():
        if word in node.items and not isinstance(node.items[word], Mapping):  # the columns of a function with their types
            _say_alone(say, node, word, f"`{word}` belongs to `kind: history`", why, f"write `kind: history`, or delete `{word}`")
    why = "it says which keys are gone, and this model does not go by key"
    for word in ("deleted", "missing") if not by_key else ():
        if word in node.items:
            hint = f"write `kind: history` or `kind: incremental` with a `key`, or delete `{word}`"
            _say_alone(say, node, word, f"`{word}` needs `key`", why, hint)


def _check_words_of_windows(node: Mapping, kind: str, say: Complaints) -> None:
    why = "it concerns windows over rows that arrive, and this model has none"
    if "watermark" in node.items and kind != Kind.INCREMENTAL:
        _say_alone(say, node, "watermark", "`watermark` belongs to `kind: incremental`", why, "write `kind: incremental`")
    for word in ("late", "emit") if "watermark" not in node.items else ():
        if word in node.items:
            hint = f"add `watermark: 10 minutes`, or delete `{word}`"
            _say_alone(say, node, word, f"`{word}` needs `watermark`", why, hint)


def _check_windows(node: Mapping, say: Complaints) -> None:
    for word in ("time", "key"):
        if word in node.items:
            why = "with a `watermark` an incremental model goes by the windows that its query puts rows into"
            _say_alone(say, node, word, f"`watermark` and `{word}` cannot stand together", why, "keep one of the two")
    if node.text("emit") == "on_close" and (node.text("late") or "update") == "update":
        why = "with `late: update` no window is ever closed for good: a late row makes it anew"
        hint = "write `late: separate` or `late: drop`, or leave `emit` out"
        say.add(CODES.missing, "`emit: on_close` needs windows that stay closed", node.keys["emit"], "not with this `late`", why, hint)


def _check_incremental(node: Mapping, say: Complaints) -> None:
    if "watermark" in node.items:
        _check_windows(node, say)
    elif "time" in node.items and "key" in node.items:
        why = "an incremental model goes by intervals of time or by key, not by both"
        _say_alone(say, node, "key", "`time` and `key` cannot stand together", why, "keep one of the two")
    elif "time" not in node.items and "key" not in node.items:
        why = "an incremental model goes by intervals of time, by key, or by windows with a `watermark`"
        say.add(CODES.missing, "an incremental model needs `time` or `key`", node.items["kind"], "by what?", why, "add `time: COLUMN`")


def _check_history(node: Mapping, say: Complaints) -> None:
    if "key" not in node.items:
        why = "the key says which rows are versions of one another"
        say.add(CODES.missing, "a history needs `key`", node.items["kind"], "of what?", why, "add `key: COLUMN`")
    if "time" in node.items:
        why = "a history is not built by intervals: its rows are put in their place by `updated`"
        _say_alone(say, node, "time", "`time` belongs to `kind: incremental`", why, "write `updated: COLUMN`")
    if "updated" in node.items and "columns" in node.items:
        why = (
            "by `updated` every row that was told is a version: one that was left out because it equals its neighbour "
            "could not be put back when a late row comes between them"
        )
        _say_alone(say, node, "columns", "`updated` and `columns` cannot stand together", why, "keep one of the two")
    elif "updated" not in node.items and "columns" not in node.items:
        why = "a version begins at the time that a column says, or when a run sees that columns have changed"
        hint = "add `updated: COLUMN`, or `columns: all`"
        say.add(CODES.missing, "a history needs `updated` or `columns`", node.items["kind"], "since when?", why, hint)


def _say_alone(say: Complaints, node: Mapping, word: str, message: str, why: str, hint: str) -> None:
    say.add(CODES.missing, message, node.keys[word], "not here", why, hint)


def _parsed(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=None) - (moment.utcoffset() or (moment - moment))


HEAD = Record(
    {
        "kind": Text(WRITTEN, doc="How the table comes about; `table` when nothing is said"),
        "time": Text(pattern=r"\S", wanted="the name of a column", doc="Column by whose intervals an incremental model is built"),
        "key": Either(
            "a column or a list of columns",
            scalar=_column,
            sequence=ListOf(_column, least=1, unique=True),
            doc="Columns that tell a row of an incremental model from all others",
        ),
        "lookback": Text(pattern=DURATION, wanted="a number of hours, days or weeks", example="3 days", doc="How late rows may come"),
        "grain": Text(("hour", "day", "week", "month", "year"), doc="Length of an interval; `day` when nothing is said"),
        "start": _start,
        "end": _end,
        "batch": Number(whole=True, least=1, doc="Intervals that one query computes"),
        "updated": Text(pattern=r"\S", wanted="the name of a column", doc="Column that says since when a row of a history holds"),
        "columns": Either(
            "`all`, a column or a list of columns",
            scalar=_column,
            sequence=ListOf(_column, least=1, unique=True),
            doc="Columns whose change begins a new version in a history; `all` for all but the key",
        ),
        "deleted": Text(pattern=r"\S", wanted="the name of a column", doc="Column that is true where a row says that its key is gone"),
        "watermark": Text(
            pattern=WATERMARK,
            wanted="a number of seconds, minutes, hours, days or weeks",
            example="10 minutes",
            doc="How much later than the newest row others are still waited for; makes a model of windows",
        ),
        "late": Text(LATE, doc="What becomes of a row whose window has closed; `update` when nothing is said"),
        "emit": Text(
            EMIT, doc="When a window has rows: with every row that comes, or when it has closed; `on_update` when nothing is said"
        ),
        "missing": Text(("keep", "delete"), doc="What becomes of a key that the query no longer gives; `keep` when nothing is said"),
        "partition": Either(
            "a column, `year(COLUMN)`, `month(COLUMN)`, `day(COLUMN)`, `hour(COLUMN)`, `bucket(NUMBER, COLUMN)`, or a list of these",
            scalar=_part,
            sequence=ListOf(_part, least=1, unique=True),
            doc="Rows that differ in one of these lie in different files",
        ),
        "sort": Either(
            "a column or a list of columns",
            scalar=_column,
            sequence=ListOf(_column, least=1, unique=True),
            doc="In which order rows lie in a file, so that readers can skip parts of it",
        ),
        "description": Text(doc="What a row is"),
        "tags": ListOf(Text(pattern=r"\S", wanted="a word"), doc="Words to choose models by"),
        "lint": LINT,
    },
    strict=True,
    also=_check,
    doc="The head of an xde model: the YAML between `/* xde` and `*/`",
)


def read_head(text: str, path: str, lines_before: int) -> tuple[ModelHead, list[Finding]]:
    """The head in a text of YAML that begins `lines_before` lines down in its file. An empty one says what no head says."""
    if all(line.strip() == "" or line.lstrip().startswith("#") for line in text.splitlines()):
        return ModelHead(), []
    root, findings = read_yaml_text(text, path, lines_before)
    if root is None:
        return ModelHead(), [_of_head(f, path) for f in findings]
    say = Complaints(CODES)
    HEAD.check(root, path, say)
    return head_of(root), [*(_of_head(f, path) for f in findings), *say.findings]


def _of_head(finding: Finding, path: str) -> Finding:
    return replace(finding, message=finding.message.replace(f"`{path}`", f"the head of `{path}`"))


def head_of(root: Mapping) -> ModelHead:
    """What a checked head says."""
    kind, grain, key, batch = root.text("kind"), root.text("grain"), root.text("key"), root.whole("batch")
    return ModelHead(
        kind=Kind(kind) if kind in WRITTEN else Kind.TABLE,
        time=root.text("time"),
        key=(key,) if key is not None else root.texts("key"),
        lookback_days=days(root.text("lookback") or ""),
        grain=grain if grain in {"hour", "day", "week", "month", "year"} else "day",
        start=root.text("start"),
        end=root.text("end"),
        batch_intervals=batch if batch is not None and batch > 0 else None,
        updated=root.text("updated"),
        columns=_columns_of(root),
        deleted=root.text("deleted"),
        watermark=seconds(root.text("watermark")),
        late=_one_of(root.text("late"), LATE),
        emit=_one_of(root.text("emit"), EMIT),
        missing="delete" if root.text("missing") == "delete" else "keep",
        partition=_one_or_more(root, "partition"),
        sort=_one_or_more(root, "sort"),
        description=root.text("description") or "",
        tags=root.texts("tags"),
        spans={
            word: node.span
            for word, node in root.items.items()
            if isinstance(node, Scalar) or word in {"key", "columns", "partition", "sort", "tags"}
        },
        lint=read_allowance(root),
    )


def _one_or_more(root: Mapping, word: str) -> tuple[str, ...]:
    one = root.text(word)
    return (one,) if one is not None else root.texts(word)


def _columns_of(root: Mapping) -> tuple[str, ...]:
    one = root.text("columns")
    if one is None:
        return root.texts("columns")
    return () if one == "all" else (one,)


def _one_of(text: str | None, words: tuple[str, ...]) -> str:
    return text if text in words else words[0]


_SECONDS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}


def seconds(text: str | None) -> float | None:
    """The length of `10 minutes` in seconds; None for what is no such length."""
    found = re.match(WATERMARK, text or "")
    return float(found[1]) * _SECONDS[found[3][0]] if found else None


_UNITS = {"h": 1 / 24, "d": 1.0, "w": 7.0}


def days(text: str) -> float:
    """The length of `3 days`, `12 hours` or `P1W2DT6H` in days; 0 for what is no such length."""
    if not re.match(DURATION, text):
        return 0.0
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?) *([A-Za-z])", text)
    return float(sum(float(amount) * _UNITS[unit.casefold()] for amount, unit in parts))
