"""Which of the servers of a contract a dataset is read from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.findings import Finding
from xde.lifecycle.ingestion.declare_stores import FILE_SERVERS, is_any_store
from xde.lifecycle.ingestion.declare_tables import kind_of
from xde.lifecycle.ingestion.push import is_push

if TYPE_CHECKING:
    from xde.ground.findings import Findings
    from xde.kernel.project.contract import Server
    from xde.kernel.project.declarations import SourceDataset


def _readable(server: Server) -> bool:
    return server.type in FILE_SERVERS or is_any_store(server) or is_push(server) or kind_of(server) is not None


def server_of(dataset: SourceDataset, findings: Findings) -> Server | None:
    """The server that a dataset says, or the first that can be read."""
    said = dataset.object.custom.get("server")
    wanted = said.value if said is not None else None
    servers = dataset.contract.servers
    fit = (s for s in servers if (_readable(s) if wanted is None else s.name == wanted))
    chosen = next(fit, None)
    if chosen is None:
        findings.add(
            Finding(
                "XDE0434",
                f"nobody says where the files of `{dataset.name}` lie",
                dataset.object.span,
                "no local server",
                hint="add a server of `type: local` with `path` and `format` to its contract",
            )
        )
        return None
    if not _readable(chosen):
        findings.add(
            Finding(
                "XDE0435",
                f"`{dataset.name}` is on a server of type `{chosen.type}`, which cannot be read yet",
                chosen.span,
                "not `local`",
                hint="deliver its files to a folder, and name that in a server of `type: local`",
            )
        )
        return None
    return chosen
