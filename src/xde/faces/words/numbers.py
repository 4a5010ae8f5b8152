"""Numbers as people read them: counts, sizes, durations, each with its unit."""

from __future__ import annotations

_SIZES = ("kB", "MB", "GB", "TB", "PB")


def count(number: int) -> str:
    """1234 is `1,234`."""
    return f"{number:,}"


def amount(number: int, noun: str, plural: str | None = None) -> str:
    """A count with its noun: `1 file`, `12 files`; the plural is the noun with an `s` unless it is given."""
    word = noun if number == 1 else plural or noun + "s"
    return f"{count(number)} {word}"


def size(number: int) -> str:
    """Bytes in decimal units (SI): `512 bytes`, `8.1 MB`."""
    if number < 1000:
        return amount(number, "byte")
    value = float(number)
    for unit in _SIZES:
        value /= 1000
        if value < 999.95 or unit == _SIZES[-1]:
            return f"{value:,.1f} {unit}"
    raise AssertionError  # the last unit always returns


def duration(seconds: float) -> str:
    """Seconds with the unit that suits: `40 ms`, `2.1 s`, `3 min 5 s`, `2 h 4 min`."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min"


def moment(iso: str | None) -> str:
    """An ISO moment to the second, in UTC as it is kept, without the `T`: `2026-01-01 12:30:00`."""
    return (iso or "")[:19].replace("T", " ")
