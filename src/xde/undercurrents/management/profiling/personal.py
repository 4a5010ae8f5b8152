"""Which columns likely show persons: by their names and by validators of their values, with the evidence; never that one does not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.undercurrents.management.profiling.facts import Personal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from xde.undercurrents.management.profiling.facts import ColumnFacts

SHARE = 0.6
SURE, UNSURE = "high", "low"
_NAMES: tuple[tuple[str, str, str], ...] = (
    (
        "name of a person",
        SURE,
        r"(first|last|given|family|sur|middle|maiden|full|nick)_?name|(customer|passenger|employee|patient|person)_?name",
    ),
    ("e-mail address", SURE, r"e_?mail(_?address)?"),
    ("telephone number", SURE, r"(tele)?phone(_?(no|number))?|mobile|cell(_?phone)?|fax"),
    ("day of birth", SURE, r"(date_?of_?birth|birth_?(date|day)|dob|born(_?on)?)"),
    ("number of identity", SURE, r"ssn|social_?security(_?number)?|passport(_?(no|number))?|national_?id|tax_?id|nino|ahv"),
    ("bank account", SURE, r"iban|account_?(no|number)|card_?(no|number)|credit_?card(_?number)?|pan"),
    ("postal address", UNSURE, r"(street|home|postal|billing|shipping)?_?address(_?line)?_?\d?|street"),
    ("sex or gender", UNSURE, r"sex|gender"),
    ("network address", SURE, r"ip(_?address)?|client_?ip|remote_?addr"),
    ("name of a user", UNSURE, r"user_?name|login|screen_?name"),
)
_BY_NAME = tuple((kind, sure, re.compile(rf"(?:.*_)?(?:{pattern})\Z")) for kind, sure, pattern in _NAMES)
_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[A-Za-z]{2,}\Z")
_PHONE = re.compile(r"(\+|00)[1-9][0-9 ()./-]{6,18}\Z|\(?0?[0-9]{3}\)?[ .-][0-9]{3}[ .-][0-9]{4}\Z")
_SSN = re.compile(r"(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}\Z")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}\Z")
_CARD = re.compile(r"(4[0-9]{12}([0-9]{3})?|5[1-5][0-9]{14}|2[2-7][0-9]{14}|3[47][0-9]{13}|6(?:011|5[0-9]{2})[0-9]{12})\Z")
_IPV4 = re.compile(r"((25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(25[0-5]|2[0-4]\d|1?\d?\d)\Z")


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 * (doubled > 9)
    return total % 10 == 0


def iban(text: str) -> bool:
    """Whether a text is an account number with right check digits (ISO 13616, modulo 97)."""
    plain = text.replace(" ", "")
    return bool(_IBAN.match(plain)) and int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def _card(text: str) -> bool:
    plain = text.replace(" ", "").replace("-", "")
    return bool(_CARD.match(plain)) and luhn(plain)


_BY_VALUE: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
    ("e-mail address", "are e-mail addresses", lambda v: bool(_EMAIL.match(v))),
    ("bank account", "are IBANs with right check digits", iban),
    ("bank account", "are card numbers with right check digits", _card),
    ("number of identity", "are written as social security numbers", lambda v: bool(_SSN.match(v))),
    ("network address", "are IPv4 addresses", lambda v: bool(_IPV4.match(v))),
    ("telephone number", "are written as telephone numbers", lambda v: bool(_PHONE.match(v))),
)


def personal(facts: ColumnFacts, values: Callable[[], Sequence[str]]) -> Personal | None:
    """Why a column likely shows persons; None where nothing says so, which proves nothing."""
    by_name = next(((kind, sure) for kind, sure, pattern in _BY_NAME if pattern.match(_snake(facts.name))), None)
    by_value = _by_value(values()) if facts.is_text or (facts.is_whole and by_name) else None
    said = f"the column is called `{facts.name}`"
    if by_value is not None:
        kind, words = by_value
        return Personal(kind, SURE, f"{said}, and {words}" if by_name else words)
    if by_name is None or facts.type == "BOOLEAN":
        return None
    return Personal(*by_name, said)


def _by_value(values: Sequence[str]) -> tuple[str, str] | None:
    given = [v.strip() for v in values if v.strip()]
    for kind, words, valid in _BY_VALUE:
        hits = sum(map(valid, given))
        if given and hits >= SHARE * len(given):
            return kind, f"{100 * hits / len(given):.0f} % of {len(given)} different values {words}"
        if kind == "e-mail address" and given and hits >= 0.1 * len(given):
            return kind, f"{hits} of {len(given)} different values {words}"
    return None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[\s-]+", "_", name).casefold()
