"""What one call of `xde` knows of its caller: which project, which environment, a person or a machine, colour or none."""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xde.faces.words.findings import Look, findings_fact, findings_text
from xde.faces.words.ink import Ink
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.records import dataclass
from xde.ground.secrets import redact, redact_data

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from xde.app.workspace import Workspace

PROJECT_FILE = "xde.yaml"


@dataclass(slots=True)
class Session:
    """Made by `main`, filled in by the root options, read by every command.

    stdout takes results, stderr takes talk; `talk` says nothing when quiet, or when a machine reads. Every text that goes out goes through
    here, and leaves what must not be seen behind; `bytes` are the user's own data.
    """

    project: Path | None = None
    environment: str | None = None
    colour: bool = True
    verbosity: int = 0
    machine: bool = False
    told: set[Finding] = field(default_factory=set)

    def root(self) -> Path:
        """The project's folder: the one named, else the nearest above with an `xde.yaml`."""
        if self.project is not None:
            if not (self.project / PROJECT_FILE).is_file():
                raise UserError(_no_project(f"`{self.project}` has no `{PROJECT_FILE}`", self.project))
            return self.project
        here = Path.cwd()
        for folder in (here, *here.parents):
            if (folder / PROJECT_FILE).is_file():
                return folder
        raise UserError(_no_project(f"no project here: neither `{here}` nor a folder above it has an `{PROJECT_FILE}`", here))

    def open(self, *, environment: str | None = None, working_tree: bool = False) -> Workspace:
        """The project, read; its warnings are told at once. `environment` is one that the command itself names."""
        from xde.app.workspace import Workspace  # deferred: it brings parsers and engines

        workspace = Workspace.open(self.root(), environment=environment or self.environment, working_tree=working_tree)
        self.warn(workspace.warnings)
        return workspace

    def warn(self, warnings: Sequence[Finding]) -> None:
        """Tell warnings that were not told yet; a machine finds them in the document where they belong."""
        new = [w for w in warnings if w not in self.told]
        self.told.update(new)
        if self.verbosity >= 0 and not self.machine:
            self.tell_findings(new)

    def ink(self, *, error: bool = False) -> Ink:
        """Colour for stdout or stderr: only on a terminal, and not where `NO_COLOR` (no-color.org) or the caller forbids it."""
        stream = sys.stderr if error else sys.stdout
        return Ink(self.colour and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty())

    def cells(self) -> int | None:
        """The width of the terminal; None where the output goes elsewhere and is not cut."""
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    def look(self) -> Look:
        """How findings are shown on stderr."""
        try:
            root = self.root()
        except UserError:
            root = self.project or Path()
        cells = shutil.get_terminal_size().columns - 8 if sys.stderr.isatty() else 100
        return Look(root, self.ink(error=True), min(max(cells, 40), 120))

    def talk(self, text: str) -> None:
        """Say something that is no result."""
        if self.verbosity >= 0 and not self.machine:
            click.echo(redact(text), err=True, nl=not text.endswith("\n"))

    def tell_findings(self, findings: Sequence[Finding]) -> None:
        """Findings in words on stderr, whatever the verbosity."""
        if findings:
            click.echo(redact(findings_text(findings, self.look())), err=True, nl=False)

    def fail(self, findings: Sequence[Finding]) -> None:
        """The findings that end a command: as a document for a machine, in words for a person."""
        if self.machine:
            self.document(findings_fact(findings))
        else:
            self.tell_findings(findings)

    def result(self, text: str) -> None:
        """A result, to stdout."""
        click.echo(redact(text), nl=not text.endswith("\n"), color=True)

    @contextmanager
    def bytes(self) -> Iterator[BinaryIO]:
        """Bytes to stdout, buffered by us: `PYTHONUNBUFFERED` would make a system call of each row, and lose the rest of a cut write."""
        sys.stdout.flush()
        with open(sys.stdout.fileno(), "wb", buffering=1 << 16, closefd=False) as stream:
            yield stream

    def document(self, data: object) -> None:
        """One JSON document, to stdout."""
        click.echo(json.dumps(redact_data(data), indent=2, ensure_ascii=False, default=str))


def _no_project(message: str, folder: Path) -> Finding:
    inside = sorted(p.parent.name for p in folder.glob(f"*/{PROJECT_FILE}")) if folder.is_dir() else []
    hint = (
        f"name it: `xde --project {inside[0]} ...`"
        if inside
        else "make one with `xde init my_project`, or name one with `xde --project DIR ...`"
    )
    return Finding("XDE0001", message, hint=hint)


pass_session = click.make_pass_decorator(Session)
