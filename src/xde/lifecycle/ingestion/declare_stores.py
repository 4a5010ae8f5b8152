"""Where the files of a source lie: in a folder, or as objects in a store, from the server of its contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.findings import Finding
from xde.lifecycle.ingestion.declare_tables import not_in_the_open
from xde.lifecycle.sources.tables import Place

if TYPE_CHECKING:
    from xde.ground.findings import Findings
    from xde.kernel.project.contract import Server

FILE_SERVERS = frozenset({"local", "s3"})
_OWN = ("region", "accessKey", "secretKey", "anonymous", "requesterPays")


def store_of(server: Server, findings: Findings) -> Place | None:
    """The store of a server, or None for a folder."""
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


def root_of(server: Server, store: Place | None) -> str:
    """The folder, or the address of the objects."""
    return str(server.settings.get("path", ".")) if store is None else store.settings.get("location", "")
