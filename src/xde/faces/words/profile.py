"""A profile for people: a table of columns, what is worth to be known below it, and the references between tables at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.cells import visible
from xde.faces.words.ink import PLAIN, Ink
from xde.faces.words.numbers import amount, count
from xde.faces.words.table import Column, Drawn, draw
from xde.kernel.project.catalogues import Arrival

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.undercurrents.management.profiling.facts import ColumnFacts, Personal, Profile, Reference, TableProfile

FEW = 5
HIDDEN = "(hidden)"


def profile_text(found: Profile, ink: Ink = PLAIN, cells: int | None = None) -> str:
    """Everything, ends with a line end."""
    parts = [_table_text(t, ink, cells) for t in found.tables]
    if found.references:
        parts.append(_references_text(found.references, ink, cells))
    return "\n".join(parts)


def _table_text(table: TableProfile, ink: Ink, cells: int | None) -> str:
    heads = [
        Column(""),
        Column("type"),
        Column("missing", right=True),
        Column("distinct", right=True),
        Column("from"),
        Column("to"),
        Column("values"),
    ]
    rows = [
        [c.name, type_words(table, c), missing_words(c), count(c.distinct), *ends(c), examples(c, table.personal.get(c.name))]
        for c in table.columns
    ]
    heads[0] = Column("column")
    drawn = draw(heads, rows, cells=cells, ink=ink)
    lines = [f"{ink('strong', visible(table.name))}  {summary(table)}", "", *drawn.lines, *_no_room(drawn)]
    said = remarks(table)
    width = max((len(k) for k, _ in said), default=0)
    lines += ["", *(f"{ink('info', k.ljust(width))}  {visible(v)}" for k, v in said)] if said else []
    return "\n".join(lines) + "\n"


def _no_room(drawn: Drawn) -> list[str]:
    return [f"no room for: {', '.join(drawn.hidden)} (`--html` has it all)"] if drawn.hidden else []


def summary(table: TableProfile) -> str:
    """`336,776 rows of flights-*.csv.gz (12 files), 19 columns`, and the error where only a sample was looked at."""
    files = f" ({amount(table.files, 'file')})" if table.files else ""
    about = "about " if table.origin is not None and table.origin.declared.about else ""
    said = f"{about}{amount(table.rows, 'row')} of {visible(table.source)}{files}, {amount(len(table.columns), 'column')}"
    if not table.sampled:
        return said
    rest = "no other row was read: keys are those that the database declares" if table.partial else "keys and joins from all rows"
    blocks = f" in {amount(table.origin.blocks, 'block')} of it" if table.origin is not None and table.origin.blocks else ""
    return (
        f"{said}; figures of columns from a sample of {amount(table.looked_at, 'row')}{blocks}: shares are off by {table.error:.2f} points "
        f"at most (95 % confidence), and there are as many different values or more; {rest}"
    )


def type_words(table: TableProfile, column: ColumnFacts) -> str:
    """The type, and for days and moments how they are written."""
    reading = table.readings.get(column.name)
    kind = column.type.lower().replace("timestamp with time zone", "timestamptz")
    return f"{kind} as {reading.format}" if reading and reading.format else kind


def missing_words(column: ColumnFacts) -> str:
    """`8,255 (2.5 %)`, or nothing."""
    return f"{count(column.missing)} ({percent(column.missing, column.rows)})" if column.missing else ""


def percent(part: int, whole: int) -> str:
    """A share; one that is not nothing is never shown as `0 %`, nor one that is not all as `100 %`."""
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.1:
        return "< 0.1 %"
    if 99.9 < share < 100:
        return "> 99.9 %"
    return f"{share:.1f} %" if share % 1 else f"{share:.0f} %"


def ends(column: ColumnFacts) -> list[str]:
    """The least and the greatest value; of texts how long they are."""
    if column.is_text and column.lengths:
        short, long = column.lengths
        return [amount(short, "character"), "" if short == long else amount(long, "character")]
    return [_short(column.low), _short(column.high)]


def examples(column: ColumnFacts, person: Personal | None, many: int = 4) -> str:
    """The commonest values with their shares where few are there, else the forms of texts, else quartiles."""
    if person is not None:
        return HIDDEN + (f" {forms(column, 2)}" if column.patterns else "")
    if not column.present:
        return ""
    if column.distinct == 1:
        return f"always {_short(column.top[0][0])}"
    if column.once == column.distinct or (
        column.top[0][1] * (200 if column.is_text else 4) < column.present and column.distinct > 2 * many
    ):
        return forms(column, 3) if column.patterns else _quartiles(column)
    rest = "" if column.distinct <= many else " …"
    return ", ".join(f"{_short(v, 20)} {percent(n, column.present)}" for v, n in column.top[:many]) + rest


def forms(column: ColumnFacts, many: int) -> str:
    """How texts are written: `A999AA` for a letter, three digits, two letters; `a+` for five letters and more."""
    return "written " + ", ".join(_short(p, 24) for p, _ in column.patterns[:many])


def _quartiles(column: ColumnFacts) -> str:
    if len(column.quantiles) != 5:
        return ""
    low, middle, high = (f"{q:.6g}" for q in column.quantiles[1:4])
    return f"half from {low} to {high}, median {middle}"


def remarks(table: TableProfile) -> list[tuple[str, str]]:
    """What is worth to be known, each with a heading."""
    found = [("key", ", ".join(k.columns) + (" (declared)" if k.declared else "")) for k in table.keys]
    if not table.keys and table.rows > 1 and not table.partial:
        found.append(("no key", _near_words(table)))
    elif table.near_key:
        pass
    if table.duplicates:
        found.append(("twice", f"{amount(table.duplicates, 'row')} more than there are different ones"))
    found += [("decides", f"{', '.join(d.columns)} → {d.decides} ({count(d.groups)} different)") for d in table.dependencies]
    found += [("personal", f"{n}: likely {p.kind}, {_sure(p)}{p.evidence}") for n, p in table.personal.items()]
    found += [("far out", _far_words(table, c)) for c in table.columns if c.far]
    found += [("missing", words) for words in _null_words(table)]
    found += [(key, f"{c.name}: {words}") for c in table.columns for key, words in _text_words(table, c)]
    if table.refused:
        why = "with a value that is none of its type" if table.origin is not None else "that do not fit the dialect"
        found.append(("refused", f"{amount(table.refused, 'record')} {why}"))
    return found + _arrival_words(table)


def _arrival_words(table: TableProfile) -> list[tuple[str, str]]:
    """How the values of a table of a database arrive in the lake: a line for the columns of which the same is to be said."""
    groups: dict[tuple[Arrival, str], list[str]] = {}
    for column in table.columns:
        told = table.origin.column(column.name) if table.origin is not None else None
        if told is not None:
            plain = told.kept.arrival is Arrival.EXACT and not told.kept.why
            groups.setdefault((told.kept.arrival, told.kept.why), []).append(column.name if plain else f"{column.name} ({told.told})")
    order = list(Arrival)
    return [
        ("arrives", f"{arrival}: {', '.join(names)}{f': {why}' if why else ''}")
        for (arrival, why), names in sorted(groups.items(), key=lambda g: (order.index(g[0][0]), g[0][1] != ""))
    ]


def _near_words(table: TableProfile) -> str:
    if table.near_key is None:
        return "no set of up to four columns tells all rows apart"
    columns, rows = table.near_key
    return f"{', '.join(columns)} would be one but for {amount(rows, 'row')}"


def _sure(person: Personal) -> str:
    return "" if person.sure == "high" else "by its name alone: "


def _far_words(table: TableProfile, column: ColumnFacts) -> str:
    if column.far is None:
        return ""
    number, value = column.far
    shown = "" if column.name in table.personal else f", the farthest {value}"
    return f"{column.name}: {amount(number, 'value')} ({percent(number, column.present)}) beyond three quartile ranges{shown}"


def _null_words(table: TableProfile) -> list[str]:
    by_word: dict[str, list[str]] = {}
    for name, reading in table.readings.items():
        for word, number in reading.words.items():
            by_word.setdefault(word, []).append(f"{name} {count(number)}")
    return [f"`{word}` stands for it: {_some(names)}" for word, names in by_word.items()]


def _text_words(table: TableProfile, column: ColumnFacts) -> list[tuple[str, str]]:
    reading = table.readings.get(column.name)
    found = []
    if column.padded:
        found.append(("spaces", f"{amount(column.padded, 'value')} with space before or behind"))
    if reading is None:
        return found
    if reading.almost:
        logical, number, some = reading.almost
        shown = "" if column.name in table.personal else f", such as {', '.join(f'`{_short(s, 30)}`' for s in some)}"
        found.append(("nearly", f"all values are of type {logical} but {count(number)}{shown}"))
    if reading.zeros:
        found.append(("text", f"{amount(reading.zeros, 'number')} with a nought before, so they are names and no amounts"))
    if reading.either:
        found.append(("either", f"days are written {' or '.join(reading.either[:2])}: the values do not tell which"))
    return found


def _some(names: Sequence[str], many: int = 8) -> str:
    return ", ".join(names[:many]) + (f" and {len(names) - many} more" if len(names) > many else "")


def _references_text(references: Sequence[Reference], ink: Ink, cells: int | None) -> str:
    heads = [
        Column("reference"),
        Column("to"),
        Column("matches", right=True),
        Column("without partner", right=True),
        Column("such as"),
        Column("because"),
    ]
    rows = [
        [
            named(r.table, r.columns),
            named(r.to_table, r.to_columns),
            percent(r.rows - r.lost, r.rows) if r.rows else "",
            lost_words(r),
            "; ".join(r.examples[:3]),
            why(r),
        ]
        for r in references
    ]
    drawn = draw(heads, rows, cells=cells, ink=ink)
    return "\n".join([ink("strong", "joins that work"), "", *drawn.lines, *_no_room(drawn)]) + "\n"


def named(table: str, columns: Sequence[str]) -> str:
    """`flights.tailnum`, or `flights (origin, time_hour)`."""
    return f"{table}.{columns[0]}" if len(columns) == 1 else f"{table} ({', '.join(columns)})"


def lost_words(reference: Reference) -> str:
    """`50,094 rows, 721 values`, or nothing."""
    return f"{amount(reference.lost, 'row')}, {amount(reference.lost_values, 'value')}" if reference.lost else ""


def why(reference: Reference) -> str:
    """The evidence, and that it is not sure where it is not."""
    if reference.declared and not reference.rows:
        return f"{reference.evidence}; not counted"
    return reference.evidence if reference.sure == "high" else f"unsure: {reference.evidence}, and other tables would do"


def _short(text: str | None, most: int = 28) -> str:
    shown = "" if text is None else text
    return shown if len(shown) <= most else shown[: most - 1] + "…"
