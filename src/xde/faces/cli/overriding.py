"""`override` (PEP 698) for type checkers on Python 3.11, whose `typing` has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import override as override
else:

    def override(method):  # noqa: ANN001, ANN201 - the checkers never see it
        """The method, as it is."""
        return method
