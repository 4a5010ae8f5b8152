"""One column of a draft: its types, what it must be with the evidence beside it, and what only its owner knows as questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xde.kernel.project.catalogues import Arrival
from xde.kernel.project.logical_types import logical_type
from xde.undercurrents.management.contract_drafts.scalars import comment, flow, scalar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xde.kernel.project.catalogues import DeclaredColumn
    from xde.undercurrents.management.profiling.facts import ColumnFacts, Reference, TableProfile, TextReading

ENOUGH = 1_000
"""Below so many rows nothing follows from what was never seen: of so many, fewer than 0.3 % are otherwise (rule of three)."""
WORDS = 20
RARELY = 5
"""Values of a closed list are each seen so often, so that one not seen yet is unlikely (Good-Turing: none is seen once)."""
_RANGES: Mapping[str, tuple[int, int]] = {
    "latitude": (-90, 90),
    "lat": (-90, 90),
    "longitude": (-180, 180),
    "lon": (-180, 180),
    "lng": (-180, 180),
    "month": (1, 12),
    "day": (1, 31),
    "hour": (0, 23),
    "minute": (0, 59),
    "second": (0, 59),
}


@dataclass(frozen=True, slots=True)
class Drafted:
    """A column as it is to be drafted: its name here, its table, what it refers to, its place in the primary key (0 for none)."""

    name: str
    table: TableProfile
    facts: ColumnFacts
    references: Sequence[tuple[str, Reference]] = ()
    place: int = 0
    unique: bool = False

    @property
    def reading(self) -> TextReading | None:
        """How its texts are read."""
        return self.table.readings.get(self.facts.name)

    @property
    def declared(self) -> DeclaredColumn | None:
        """What the database that it is from declares of it."""
        return self.table.origin.column(self.facts.name) if self.table.origin is not None else None

    @property
    def type(self) -> str:
        """The type that it is read as."""
        return self.declared.kept.type if self.declared is not None else self.facts.type

    @property
    def hidden(self) -> bool:
        """Whether its values must not be seen."""
        return self.facts.name in self.table.personal


def column_lines(column: Drafted) -> Iterator[str]:
    """The entry of a column under `properties`."""
    there = column.declared.name if column.declared is not None else column.facts.name
    yield f"      - name: {scalar(column.name)}"
    if column.name != there:
        yield f"        physicalName: {scalar(there)}"
    yield f"        logicalType: {logical_type(column.type) or 'string'}"
    yield f"        physicalType: {scalar(column.type)}"
    yield from _arrival(column)
    yield from _presence(column)
    yield from _person(column)
    yield f"        description: {scalar((column.declared and column.declared.comment) or 'Say here what it is.')}"
    yield from _options(column)
    yield from _null_words(column)
    yield from _values(column)
    yield from _references(column)
    yield from _text_questions(column)


def requires(column: Drafted) -> bool:
    """Whether it is a rule that a value is never missing."""
    facts = column.facts
    if column.declared is not None:
        return column.declared.required or column.place > 0
    certain = not facts.missing and not column.table.sampled
    return certain and (facts.rows >= ENOUGH or column.place > 0)


def closed(column: Drafted) -> bool:
    """Whether the values are few and complete: many rows, none of the values rare."""
    facts = column.facts
    if column.declared is not None and column.declared.values:
        return True
    few = facts.is_text and 2 <= facts.distinct <= min(WORDS, len(facts.top) if facts.distinct > 10 else WORDS)
    open_ = column.hidden or column.references or column.table.sampled or facts.rows < ENOUGH
    return few and not open_ and facts.least >= RARELY and facts.distinct == len(facts.top)


def _arrival(column: Drafted) -> Iterator[str]:
    """How its values arrive from the database, where there is more to say than that they do."""
    told = column.declared
    if told is None or (told.kept.arrival is Arrival.EXACT and not told.kept.why):
        return
    yield from comment(f"evidence: {told.told} in the database, {told.kept.arrival}{f': {told.kept.why}' if told.kept.why else ''}", 8)
    digits = column.reading.digits if column.reading is not None else None
    if digits is not None:
        form = f"DECIMAL({max(18, sum(digits))},{digits[1]})"
        yield from comment(f"question: all values so far fit {form}: is it a number? One with more digits would make a dead letter", 8)


def _presence(column: Drafted) -> Iterator[str]:
    facts, rows = column.facts, f"{column.facts.rows:,} rows"
    if column.declared is not None and column.declared.required:
        odd = f", and {facts.missing:,} of {rows} have none" if facts.missing else ""
        yield from comment(f"evidence: the database declares that a value is there{odd}", 8)
        yield "        required: true"
    elif requires(column):
        most = f": fewer than {300 / facts.rows:.2g} % are (rule of three)" if facts.rows >= ENOUGH else ""
        yield from comment(f"evidence: never missing in {rows}{most}", 8)
        yield "        required: true"
    elif facts.missing:
        yield from comment(f"evidence: missing in {facts.missing:,} of {rows} ({100 * facts.missing / facts.rows:.2g} %)", 8)
    if column.place:
        yield "        primaryKey: true"
        yield f"        primaryKeyPosition: {column.place}"
    elif column.unique and any(k.declared for k in column.table.keys):
        yield from comment("evidence: the database declares that no value is there twice", 8)
        yield "        unique: true"
    elif column.unique and facts.rows >= ENOUGH:
        yield from comment(f"evidence: {facts.distinct:,} different values in {column.table.rows:,} rows, counted exactly", 8)
        yield "        unique: true"
    elif column.unique:
        yield from comment(f"question: no value comes twice in {rows}: must it be so?", 8)


def _person(column: Drafted) -> Iterator[str]:
    person = column.table.personal.get(column.facts.name)
    if person is None:
        return
    if person.sure == "high":
        yield from comment(f"evidence: likely personal ({person.kind}): {person.evidence}", 8)
        yield "        classification: restricted"
        yield "        tags: [pii]"
    else:
        yield from comment(f"question: {person.evidence}: does it show persons ({person.kind})? Then add `classification: restricted`", 8)


def _options(column: Drafted) -> Iterator[str]:
    facts, reading = column.facts, column.reading
    options: dict[str, object] = {}
    if column.declared is not None and column.declared.length:
        options["maxLength"] = column.declared.length
        yield from comment(f"evidence: the database declares {column.declared.told}", 8)
    if column.type == "TIMESTAMP WITH TIME ZONE":
        options["timezone"] = True
    if reading and reading.format:
        options["format"] = reading.format
        yield from comment(f"evidence: all {facts.present:,} values are written {reading.format}", 8)
    natural = _natural(column)
    if natural is not None:
        options |= {"minimum": natural[0], "maximum": natural[1]}
        yield from comment(f"evidence: its name, and values from {facts.low} to {facts.high}", 8)
    elif facts.low is not None and not facts.is_text and not column.hidden and facts.distinct > 1:
        seen = f"values go from {facts.low} to {facts.high}"
        far = f"question: {seen}, {facts.far[0]:,} of them far out: what is the least and the most it can be?" if facts.far else ""
        yield from comment(far or f"evidence: {seen}", 8)
    elif facts.lengths and facts.lengths[0] == facts.lengths[1] and facts.distinct > 1 and facts.rows >= ENOUGH and not closed(column):
        yield from comment(
            f"question: all values are {facts.lengths[0]} characters long: must they be? Then add `minLength` and `maxLength`", 8
        )
    if facts.distinct == 1 and not column.hidden:
        yield from comment(
            f"question: the only value is `{facts.low if facts.low is not None else facts.top[0][0]}`: will there be others?", 8
        )
    if options:
        yield f"        logicalTypeOptions: {flow(options)}"


def _natural(column: Drafted) -> tuple[int, int] | None:
    """The range that a name means, where all values are in it."""
    facts = column.facts
    named = _RANGES.get(column.name.rpartition("_")[2])
    if named is None or not facts.is_number or facts.low is None or facts.high is None or column.table.sampled:
        return None
    return named if named[0] <= float(facts.low) and float(facts.high) <= named[1] else None


def _null_words(column: Drafted) -> Iterator[str]:
    reading, of_file = column.reading, column.table.dialect.get("nullWords", [])
    words = [w for w in reading.words if w not in of_file] if reading and isinstance(of_file, list) else []
    if words:
        counts = ", ".join(f"`{w}` {reading.words[w]:,} times" for w in words) if reading else ""
        yield from comment(f"question: {counts}: do these mean that a value is missing, as is assumed here?", 8)
        yield "        customProperties:"
        yield "          - property: xdeNullWords"
        yield f"            value: {flow(list(words))}"


def _values(column: Drafted) -> Iterator[str]:
    facts = column.facts
    if closed(column):
        labels = column.declared.values if column.declared is not None else ()
        seen = f"no other value in {facts.rows:,} rows, and the rarest {facts.least:,} times"
        yield from comment(f"evidence: {'the database declares all that there can be' if labels else seen}", 8)
        yield "        quality:"
        yield f"          - id: {column.table.name.rpartition('.')[2]}_{column.name}_known"
        yield "            metric: invalidValues"
        yield f"            arguments: {flow({'validValues': list(labels) or sorted(v for v, _ in facts.top)})}"
        yield "            mustBe: 0"
        yield "            dimension: conformity"
    elif facts.is_text and 2 <= facts.distinct <= 10 and facts.once < facts.distinct and not column.hidden and not column.references:
        said = ", ".join(f"`{v}` {n:,}" for v, n in facts.top)
        yield from comment(f"question: the values so far are {said}: are these all that there can be?", 8)


def _references(column: Drafted) -> Iterator[str]:
    sure = [(to, r) for to, r in column.references if r.sure == "high"]
    for to, reference in column.references:
        if reference.declared and not reference.rows:
            yield from comment(f"evidence: {reference.evidence}", 8)
            continue
        found = f"{reference.rows - reference.lost:,} of {reference.rows:,} rows ({100 * reference.share:.4g} %) have their partner in {to}"
        if reference.sure == "high":
            lost = f"; without: {reference.lost_values:,} values" + (
                f" such as {', '.join(reference.examples[:3])}" if reference.examples else ""
            )
            yield from comment(f"evidence: {found}{lost if reference.lost else ''}; {reference.evidence}", 8)
        else:
            yield from comment(f"question: {found}, but other tables would do as well: does it refer to it?", 8)
    if sure:
        yield "        relationships:"
        for to, reference in sure:
            yield "          - type: foreignKey"
            yield f"            to: {scalar(to)}"
            if reference.lost or reference.declared:
                yield "            customProperties:"
                yield "              - property: xdeSeverity"
                yield "                value: warning"


def _text_questions(column: Drafted) -> Iterator[str]:
    reading = column.reading
    if reading is None:
        return
    if reading.almost:
        logical, others, some = reading.almost
        shown = f", such as {', '.join(f'`{s[:40]}`' for s in some)}" if some and not column.hidden else ""
        yield from comment(f"question: all values but {others:,}{shown} are of type {logical}: is it one, and those are faults?", 8)
    if reading.zeros:
        yield from comment(f"evidence: {reading.zeros:,} values are digits with a nought before, so it is text and no number", 8)
    if reading.either:
        yield from comment(f"question: is it written {' or '.join(reading.either[:2])}? The values so far do not tell, so it is text", 8)
