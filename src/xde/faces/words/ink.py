"""Colour by meaning; the words say what a piece of text is, and only a terminal that wants colour shows it."""

from __future__ import annotations

from typing import Literal

from xde.ground.records import dataclass

Role = Literal["error", "warning", "info", "good", "dim", "strong", "mark"]

# SGR parameters of ECMA-48, 8.3.117
_CODES: dict[Role, str] = {"error": "1;31", "warning": "1;33", "info": "1;36", "good": "32", "dim": "2", "strong": "1", "mark": "1;34"}


@dataclass(frozen=True, slots=True)
class Ink:
    """Paints a text by its role, or leaves it as it is."""

    on: bool = False

    def __call__(self, role: Role, text: str) -> str:
        """The text in the colour of its role."""
        return f"\x1b[{_CODES[role]}m{text}\x1b[0m" if self.on and text else text


PLAIN = Ink()
