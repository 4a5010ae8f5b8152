"""`${env:NAME}`: environment variables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from xde.plugin.secrets import SecretMissing

if TYPE_CHECKING:
    from pathlib import Path


def read(name: str, project: Path, /) -> str:  # noqa: ARG001 - the port's
    """The value of a variable; one that is empty is as good as none."""
    value = os.environ.get(name)
    if value:
        return value
    why = f"the environment variable `{name}` is {'not set' if value is None else 'empty'}"
    raise SecretMissing(why, f"set it before xde is called: export {name}=...")
