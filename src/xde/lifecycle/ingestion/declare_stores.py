"""Where the files of a source lie: in a folder, or as objects in a store, from the server of its contract."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xde.ground.findings import Finding
from xde.ground.secrets import sounds_secret
from xde.kernel.project.secret_references import password_in, references
from xde.lifecycle.ingestion.declare_tables import FILES, in_the_open, not_in_the_open
from xde.lifecycle.sources.tables import Place

if TYPE_CHECKING:
    from xde.ground.findings import Findings
    from xde.kernel.project.contract import Server

FILE_SERVERS = frozenset({"local", "s3", "sftp", "azure"})
_OWN = ("region", "accessKey", "secretKey", "anonymous", "requesterPays")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://")


def store_of(server: Server, findings: Findings) -> Place | None:
    """The store of a server, or None for a folder."""
    if is_any_store(server):
        return _any_store(server, findings)
    if server.type != "s3":
        return None
    location = str(server.settings.get("location", ""))
    if not location.startswith("s3://") or not location.removeprefix("s3://").strip("/"):
        hint = "write it as `s3://bucket/folder`"
        message = f"`location` of the server `{server.name}` is no place in S3: `{location}`"
        findings.add(Finding("XDE0494", message, server.span, hint=hint))
    not_in_the_open(server, "secretKey", "secret key", findings)
    settings = {n: str(v) for n, v in server.settings.items()} | {n: str(server.custom[n].value) for n in _OWN if n in server.custom}
    return Place("s3", settings, server.span)


def is_any_store(server: Server) -> bool:
    """Whether its files are brought here by fsspec: the standard's types for such, or any by its address."""
    said = server.custom.get("type")
    return server.type in {"sftp", "azure"} or (server.type == "custom" and said is not None and str(said.value) == FILES)


def _any_store(server: Server, findings: Findings) -> Place:
    location = str(server.settings.get("location", ""))
    if not _ADDRESS.match(location):
        hint = "write it as an address, such as `sftp://host/folder`"
        message = f"`location` of the server `{server.name}` is no address of files: `{location}`"
        findings.add(Finding("XDE0494", message, server.span, hint=hint))
    if password_in(location):
        hint = "take it out of `location`, and write a reference as `xdePassword`"
        findings.add(in_the_open(server.name, "password", server.span, hint))
    not_in_the_open(server, "password", "password", findings)
    settings = {n: str(v) for n, v in server.settings.items()}
    settings |= {n: str(server.custom[n].value) for n in ("user", "password") if n in server.custom}
    options = server.custom["options"].value if "options" in server.custom else {}
    for name, value in options.items() if isinstance(options, dict) else ():
        if sounds_secret(str(name)) and not references(str(value)):
            hint = "write a reference, such as `${env:SHOP_KEY}`"
            findings.add(in_the_open(server.name, f"option `{name}`", server.custom["options"].span, hint))
        settings[f"option:{name}"] = str(value)
    return Place(FILES, settings, server.span)


def root_of(server: Server, store: Place | None) -> str:
    """The folder, or the address of the objects."""
    return str(server.settings.get("path", ".")) if store is None else store.settings.get("location", "")
