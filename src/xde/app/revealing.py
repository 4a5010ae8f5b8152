"""References of `xde.yaml` made into values, at the moment when the lake, the ledger or the engine is opened, and not before."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from xde.ground.errors import UserError, XdeError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.ground.secrets import Secret, hide, hide_password, sounds_secret
from xde.kernel.project.files import SETTINGS_FILE
from xde.kernel.project.secret_references import Reference, pieces, references

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from xde.ground.spans import Span
    from xde.plugin.secrets import SecretStore

    Place = Literal["user", "password", "query", "whole", "other"]

_EXTRAS = {"keyring": ("keyring", "keyring"), "aws": ("boto3", "aws")}  # scheme to package and extra
_MISSING = {"env": "XDE0152", "file": "XDE0153"}
_MARK = 0xE000  # the first of Unicode's private characters: stand for references while an address is looked at


class Revealing:
    """What a house has asked stores for; a reference is looked up once, and the values stay in this object alone."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[Reference, Secret] = {}

    def text(self, written: str) -> str:
        """A path, an amount of memory: shown like any other."""
        return "".join(p if isinstance(p, str) else self.secret(p).reveal() for p in pieces(written)) if "${" in written else written

    def options(self, written: Mapping[str, str]) -> dict[str, str]:
        """Options of an object store: whatever is referred to is hidden, and so is what is called a key and stands there in the open."""
        found = {}
        for name, value in written.items():
            for reference in references(value):
                hide(self.secret(reference).reveal())
            found[name] = self.text(value)
            if sounds_secret(name):
                hide(found[name])
        return found

    def address(self, written: str) -> str:
        """An address with a user and a password, perhaps; each is put in as it must stand in an address, and the password is hidden."""
        found = ""
        for piece, place in zip(pieces(written), places(written), strict=True):
            if isinstance(piece, str):
                found += piece
                continue
            value = self.secret(piece).reveal()
            if place in {"password", "query"} or "@" in value:  # what has a user in it may have a password
                hide(value)
            found += quote(value, safe="") if place in {"user", "password", "query"} else value
        hide_password(found)
        return found

    def secret(self, reference: Reference) -> Secret:
        """The value of a reference. Raises `UserError` with the place in `xde.yaml`, or `TemporaryError`."""
        if reference not in self._known:
            try:
                value = _asked(reference, self._root)
            except UserError as error:
                at = place_of(reference, self._root)
                raise UserError(*(replace(f, span=f.span or at) for f in error.findings)) from None
            self._known[reference] = Secret(value)
        return self._known[reference]


def places(written: str) -> list[Place]:
    """What each piece of an address is to it; a literal piece is `other`."""
    cut = pieces(written)
    if len(cut) == 1:
        return ["whole"]
    template = "".join(p if isinstance(p, str) else chr(_MARK + n) for n, p in enumerate(cut))
    _, slashes, rest = template.partition("://")
    authority, tail = re.match(r"([^/?#]*)(.*)", rest, re.DOTALL).groups() if slashes else ("", "")  # type: ignore[union-attr]  # matches anything
    user, colon, password = authority.rpartition("@")[0].partition(":")
    told: dict[str, Place] = dict.fromkeys(user, "user" if colon else "whole") | dict.fromkeys(password, "password")
    told |= dict.fromkeys(tail.partition("?")[2], "query")
    return ["other" if isinstance(p, str) else told.get(chr(_MARK + n), "other") for n, p in enumerate(cut)]


def place_of(reference: Reference, root: Path) -> Span | None:
    """Where a reference stands in `xde.yaml`; found when it is needed, for it seldom is."""
    from xde.kernel.project.tree import Scalar, walk
    from xde.kernel.project.yaml_reader import read_yaml

    with suppress(OSError):
        top, _ = read_yaml((root / SETTINGS_FILE).read_bytes(), SETTINGS_FILE)
        for node in walk(top) if top is not None else ():
            if isinstance(node, Scalar) and str(reference) in node.text:
                return node.span
    return None


def _asked(reference: Reference, root: Path) -> str:
    from xde.plugin.secrets import SecretMissing

    store = _store(reference)
    try:
        value: object = store(reference.name, root)
    except XdeError:
        raise
    except SecretMissing as error:
        code = _MISSING.get(reference.scheme, "XDE0155")
        raise UserError(Finding(code, f"`{reference}` has no value", label="not found", why=error.why, hint=error.hint)) from None
    except Exception as error:  # noqa: BLE001 - a stranger's code, whose words may hold the very value: only the kind of its error is told
        raise UserError(
            _failed(reference, f"it raised `{type(error).__name__}`, whose words are not shown: they may hold the value")
        ) from None
    if not isinstance(value, str) or not value:
        raise UserError(_failed(reference, f"it gave {'an empty text' if value == '' else type(value).__name__} instead of a text"))
    return value


def _store(reference: Reference) -> SecretStore:
    from xde.plugin.secrets import schemes, store

    try:
        found = store(reference.scheme)
    except ModuleNotFoundError as error:
        package, extra = _EXTRAS.get(reference.scheme, (error.name, ""))
        if extra and error.name is not None and error.name.partition(".")[0] not in {package, "botocore"}:
            raise
        why = f"`{reference}` is read with the package `{error.name}`, which is not installed"
        hint = f"pip install 'xde[{extra}]'" if extra else f"pip install {package}"
        raise UserError(
            Finding("XDE0154", f"`{reference.scheme}:` needs a package more", label="not installed", why=why, hint=hint)
        ) from None
    if found is None:
        known = schemes()
        why = "installed are " + ", ".join(f"`{s}`" for s in known)
        hint = did_you_mean(reference.scheme, known) or "install the package that brings this store, or use another"
        raise UserError(Finding("XDE0150", f"there is no store of secrets `{reference.scheme}`", label="not known", why=why, hint=hint))
    return found


def _failed(reference: Reference, why: str) -> Finding:
    hint = "this is a matter of the package that brings the store, not of xde"
    return Finding("XDE0159", f"the store `{reference.scheme}` failed at `{reference}`", label="failed", why=why, hint=hint)
