"""`${keyring:SERVICE/NAME}`: the keyring of the operating system (macOS Keychain, Windows Credential Locker, Secret Service)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keyring
from keyring.errors import KeyringError, NoKeyringError

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.plugin.secrets import SecretMissing

if TYPE_CHECKING:
    from pathlib import Path


def read(name: str, project: Path, /) -> str:  # noqa: ARG001 - the port's
    """The password of a name in a service; the last `/` parts them, for services like to be addresses."""
    service, _, user = name.rpartition("/")
    if not service or not user:
        raise SecretMissing(f"`{name}` names no service and name", "write `${keyring:SERVICE/NAME}`")
    try:
        value = keyring.get_password(service, user)
    except NoKeyringError:
        raise _closed("this machine has no keyring that can be used", "use `${env:NAME}` or `${file:PATH}` here") from None
    except KeyringError as error:
        raise _closed(f"{type(error).__name__}: the keyring is locked, or lets nobody in", "unlock the keyring") from None
    if value is None:
        raise SecretMissing(f"the keyring has no `{user}` in the service `{service}`", f"put it there: keyring set {service} {user}")
    return value


def _closed(why: str, hint: str) -> UserError:
    return UserError(Finding("XDE0157", "the keyring does not answer", why=why, hint=hint))
