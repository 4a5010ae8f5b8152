"""In-flight steps: what a contract says is done to a value as it is read, and where that cannot be promised."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.ground.findings import Finding
from xde.ground.records import dataclass
from xde.kernel.project.secret_references import EXAMPLES, references
from xde.lifecycle.ingestion.port import Treatment
from xde.lifecycle.sources.tables import TOLD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence, Set

    from xde.ground.findings import Findings
    from xde.ground.spans import Span
    from xde.kernel.project.contract import Custom, Property, SchemaObject
    from xde.kernel.project.declarations import SourceDataset
    from xde.lifecycle.ingestion.port import Field
    from xde.lifecycle.sources.tables import Ask

WORD = "inFlight"
STEPS = ("hash", "mask", "cast", "drop")
_MASKS = {"text": "text", "keepLast": "keep_last", "keepDomain": "keep_domain", "empty": "empty", "truncate": "", "round": "round"}
_SHAPES = "write one of `hash: {key: ${env:NAME}}`, `mask: {...}`, `cast: TYPE`, `drop: true`"
_TEXTS = ("VARCHAR", "TEXT", "STRING")
_TIMES = ("DATE", "TIMESTAMP", "DATETIME")
_NUMBER = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT|U?INTEGER|DOUBLE|FLOAT|REAL|DECIMAL\b.*|NUMERIC\b.*)\Z")


@dataclass(frozen=True, slots=True)
class Way:
    """How the records of a source come, as far as it matters here."""

    fields: tuple[Field, ...]
    ask: Ask | None
    new_column: str
    version: str | None


def treatment_of(of: Property, kind: str, findings: Findings) -> Treatment | None:
    """What is done to the values of a column of the clear type `kind`; what is wrong with it goes to the findings."""
    if WORD not in of.custom:
        return None
    custom = of.custom[WORD]
    words = custom.value if isinstance(custom.value, dict) else {}
    said = [w for w in STEPS if words.get(w)]
    if len(said) != 1:
        what = "nothing" if not said else "two things"
        findings.add(Finding("XDE0330", f"the in-flight step of `{of.name}` says {what}", custom.span, "one step", "", _SHAPES))
        return None
    made = _made(said[0], words[said[0]])
    if made is None:
        hint = "write one of `text`, `keepLast`, `keepDomain`, `empty`, `truncate`, `round`"
        findings.add(Finding("XDE0330", f"the mask of `{of.name}` says not one thing", custom.span, "one mask", "", hint))
        return None
    if made.kind == "hash" and not re.fullmatch(r"\$\{[^{}]*\}", made.key):
        why = "what was hashed without a secret is found again by hashing guesses: all phone numbers of a country take seconds"
        told = f"the key of `{of.name}` is no reference to a secret" if made.key else f"`{of.name}` is hashed without a key"
        hint = f"add `key`, a reference: {EXAMPLES}" if not references(made.key) else "write the reference alone, with no text around it"
        findings.add(Finding("XDE0331", told, custom.span, "a key", why, hint))
    if fault := _misfit(made, kind.strip().upper()):
        told = f"the in-flight step of `{of.name}` does not fit its type, `{kind}`"
        findings.add(Finding("XDE0330", told, custom.span, fault, "", "the type in the contract is that of the value as it comes"))
    return made


def _made(step: str, how: object) -> Treatment | None:
    words = how if isinstance(how, dict) else {}
    match step:
        case "hash":
            return Treatment("hash", key=str(words.get("key", "")), fold=words.get("fold") is True)
        case "cast":
            return Treatment("cast", text=str(how))
        case "drop":
            return Treatment("drop")
        case _:
            return _mask(words)


def _mask(words: Mapping[str, object]) -> Treatment | None:
    said = [w for w in _MASKS if w in words and words[w] is not False]
    if len(said) != 1:
        return None
    value = words[said[0]]
    if said[0] == "text":
        return Treatment("text", text=str(value))
    if said[0] == "truncate":
        return Treatment(str(value))
    amount = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
    return Treatment(_MASKS[said[0]], amount=amount)


def _misfit(made: Treatment, kind: str) -> str:
    """What the type would have to be, where it is another."""
    nested = kind.endswith("]") or kind.startswith(("STRUCT", "MAP"))
    if nested and made.kind not in {"drop", "empty", "text"}:
        return "a single value"
    if made.kind == "keep_domain" and kind not in _TEXTS:
        return "a text"
    if made.kind in {"month", "year"} and not kind.startswith(_TIMES):
        return "a date or a time"
    if made.kind == "round" and not _NUMBER.fullmatch(kind):
        return "a number"
    return ""


def is_private(dataset: SourceDataset, *, shared: bool) -> bool:
    """Whether some of what is read may lie on no disk; `shared`: records of one object hold values of others of its contract."""
    objects = dataset.contract.schema if shared else (dataset.object,)
    return any(WORD in p.custom for o in objects for p in _below(o.properties))


def _below(properties: Sequence[Property]) -> Iterator[Property]:
    for each in properties:
        yield each
        yield from _below((*each.properties, *((each.items,) if each.items is not None else ())))


def check_treatments(dataset: SourceDataset, way: Way, findings: Findings) -> None:
    """Refuse a contract whose steps could not be held everywhere: never is a value written in the clear that should not be."""
    of = dataset.object
    for each in of.properties:
        for inner in _below((*each.properties, *((each.items,) if each.items is not None else ()))):
            if WORD in inner.custom:
                why = "steps are taken on whole columns; a part of a nested one would be written as it is"
                hint = f"write it at `{each.name}`, or read that part as a column of its own"
                message = f"`{inner.name}` stands within `{each.name}` and cannot be treated there"
                findings.add(Finding("XDE0332", message, inner.custom[WORD].span, "nested", why, hint))
    treated = {f.name for f in way.fields if f.treatment is not None}
    if treated:
        _check_way(dataset, way, findings)
        _check_columns(dataset, way, treated, findings)


def _check_way(dataset: SourceDataset, way: Way, findings: Findings) -> None:
    given = dataset.object.custom
    if way.new_column == "evolve":
        why = "a column that is delivered under another name would be a new one, and be written as it is"
        hint = "write `quarantine`, `freeze` or `discard`"
        message = f"`{dataset.name}` has in-flight steps, and cannot `evolve` by new columns"
        findings.add(Finding("XDE0334", message, _at(given, "schemaChange", dataset.object), "evolve", why, hint))


def _check_columns(dataset: SourceDataset, way: Way, treated: Set[str], findings: Findings) -> None:
    of = dataset.object
    if all(f.kept_type is None for f in way.fields):
        findings.add(Finding("XDE0330", f"nothing is kept of `{dataset.name}`", of.span, "all dropped", "", "keep a column"))
    cursor = way.ask.cursor.columns if way.ask is not None and way.ask.cursor is not None else ()
    named = {way.version, *(f.name for f in way.fields if f.source_name in {*cursor, *TOLD})}
    for name in sorted(treated & named):
        why = "how far a source was read is kept with its rows, as it stands"
        at = next(p.custom[WORD].span for p in of.properties if p.name == name)
        message = f"`{name}` is the cursor of `{dataset.name}`, and cannot be treated in flight"
        findings.add(Finding("XDE0335", message, at, "cursor", why, "read by another column, or leave this one as it is"))


def _at(given: Mapping[str, Custom], name: str, of: SchemaObject) -> Span | None:
    return given[name].span if name in given else of.span
