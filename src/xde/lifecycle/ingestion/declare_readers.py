"""Which reader a contract asks for, and what that reader cannot promise: then the contract says both at once, and is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.findings import Finding
from xde.lifecycle.ingestion.treatments import is_private
from xde.lifecycle.sources.tables import CONNECTORX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.ground.findings import Findings
    from xde.kernel.project.contract import Server
    from xde.kernel.project.declarations import SourceDataset

SURE = {"disable", "prefer", "require"}  # words of `xdeSslMode` that mean the same to both readers


def reader_of(dataset: SourceDataset) -> str:
    """The reader of whole tables, empty for the database's own."""
    said = dataset.object.custom.get("reader")
    return CONNECTORX if said is not None and said.value == CONNECTORX else ""


def check_reader(dataset: SourceDataset, server: Server, kind: str | None, findings: Findings) -> None:
    """That a dataset can be read by the reader that its contract asks for."""
    said = dataset.object.custom.get("reader")
    if said is None or not reader_of(dataset):
        return
    for told, why, hint in _cannot(dataset, server, kind):
        findings.add(Finding("XDE0546", f"`{dataset.name}` {told}, and is to be read by ConnectorX", said.span, "not both", why, hint))


def _cannot(dataset: SourceDataset, server: Server, kind: str | None) -> Iterator[tuple[str, str, str]]:
    """What keeps a dataset from being read by ConnectorX: what it is, why, and how that is mended."""
    given, away = dataset.object.custom, "take `xdeReader` away"
    if kind != "postgres":
        yield f"is on a server of type `{server.type}`", "of PostgreSQL alone it is proved that no value is changed", away
        return
    if "capture" in given:
        yield "is captured", "ConnectorX reads tables as they are, and no log", away
    if "query" in given:
        yield "is a query", "what it gives cannot be read in parts, and ConnectorX would hold all of it in memory", away
    if is_private(dataset, shared=True):
        yield "has in-flight steps", "ConnectorX reads in a process of its own, and hands over what it read on the disk", away
    words = given["limits"].value if "limits" in given else {}
    slow = [w for w in ("rowsPerSecond", "bytesPerSecond") if isinstance(words, dict) and w in words]
    if slow:
        why = "ConnectorX reads as fast as the server gives, whoever waits for its rows"
        yield f"has a limit of `{slow[0]}`", why, f"{away}, or the limit"
    mode = str(server.custom["sslMode"].value) if "sslMode" in server.custom else "prefer"
    if mode not in SURE:
        yield f"is on a server of `xdeSslMode: {mode}`", "ConnectorX does not look at the certificate in the same way", away
