"""What pytest sees of a project: cases as items, and fixtures for tests in Python. `assert_rows_equal` can be imported from here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xde.faces.pytest.asserting import assert_rows_equal

__all__ = ["assert_rows_equal"]


def __getattr__(name: str) -> object:
    """Imported when it is asked for: pytest loads this room in repositories that have nothing to do with data, too."""
    if name == "assert_rows_equal":
        from xde.faces.pytest.asserting import assert_rows_equal

        return assert_rows_equal
    raise AttributeError(name)
