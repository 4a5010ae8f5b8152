"""Names of datasets and columns: how they are made, quoted, put in a row and, when misspelt, guessed."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def is_identifier(text: str) -> bool:
    """Whether a text can name a schema, dataset or parameter without quotes."""
    return IDENTIFIER.match(text) is not None


def quoted(identifier: str) -> str:
    """An identifier for SQL, in double quotes (SQL-92, 5.2)."""
    return '"' + identifier.replace('"', '""') + '"'


def quoted_name(dataset: str) -> str:
    """A dataset's `schema.name` for SQL, each part quoted."""
    return ".".join(quoted(part) for part in dataset.split("."))


def literal(text: str) -> str:
    """A text literal for SQL, in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name most like a misspelt one, if any is near."""
    by_folded = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint with the nearest name, or an empty text."""
    near = nearest(word, known)
    return f"did you mean `{near}`?" if near else ""


def listed(words: Sequence[str]) -> str:
    """Words in a row: `a, b and c`."""
    return " and ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


def ranges(numbers: Sequence[int]) -> str:
    """Growing numbers in a row, three and more neighbours as a range: `0 to 4, 6 and 7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    words = [w for run in runs for w in ([f"{run[0]} to {run[-1]}"] if len(run) > 2 else map(str, run))]
    return listed(words)
