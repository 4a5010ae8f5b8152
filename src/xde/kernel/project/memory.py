"""What the files of a project were read as: one that is byte for byte as it was is not read twice, by this process or the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from xde.ground.digests import bytes_digest
from xde.kernel.project.contract import Contract
from xde.kernel.project.declarations import ModelDataset
from xde.kernel.project.model_reader import read_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from xde.ground.findings import Finding

Read = TypeVar("Read", Contract, ModelDataset)


class Remembered(NamedTuple):
    """The digest of a file's bytes, and what was read of them."""

    digest: str
    read: Contract | ModelDataset


class Memory:
    """What was read of contracts and models, by path; a model's contract is no part of it, for that is another file.

    What is wrong with a file is remembered in this process alone: `clean` has the files with which nothing is, so that findings
    are always made by whoever shows them, who knows what must not be seen.
    """

    def __init__(self, before: Mapping[str, Remembered] | None = None) -> None:
        self._before = before or {}
        self._clean: dict[str, Remembered] = {}
        self._faulty: dict[str, tuple[str, Contract | ModelDataset | None, list[Finding]]] = {}

    @property
    def clean(self) -> Mapping[str, Remembered]:
        """The files that were asked for, as they were last, without those that something is wrong with."""
        return self._clean

    @property
    def changed(self) -> bool:
        """Whether there is more to remember than before, or less."""
        return len(self._clean) != len(self._before) or any(self._before.get(p) is not r for p, r in self._clean.items())

    def contract(self, content: bytes, path: str) -> tuple[Contract | None, list[Finding]]:
        """A contract, with what is wrong with it."""

        def read() -> tuple[Contract | None, list[Finding]]:
            from xde.kernel.project.contract_linter import lint_contract
            from xde.kernel.project.odcs import read_contract

            contract, root, findings = read_contract(content, path)
            if contract is None or root is None:
                return None, findings
            return contract, [*findings, *lint_contract(root)]

        return self._read(Contract, content, path, read)

    def model(self, name: str, content: bytes, path: str) -> tuple[ModelDataset | None, list[Finding]]:
        """A model without its contract, with what is wrong with it; its name comes from its path."""
        return self._read(ModelDataset, content, path, lambda: read_model(name, path, content))

    def _read(
        self, kind: type[Read], content: bytes, path: str, read: Callable[[], tuple[Read | None, list[Finding]]]
    ) -> tuple[Read | None, list[Finding]]:
        digest = bytes_digest(content)
        known = self._clean.get(path) or self._before.get(path)
        if known is not None and known.digest == digest and isinstance(known.read, kind):
            self._clean[path] = known
            return known.read, []
        told = self._faulty.get(path)
        if told is not None and told[0] == digest and (told[1] is None or isinstance(told[1], kind)):
            self._clean.pop(path, None)
            return told[1], told[2]
        found, findings = read()
        self._clean.pop(path, None)
        if found is None or findings:
            self._faulty[path] = (digest, found, findings)
        else:
            self._clean[path] = Remembered(digest, found)
        return found, findings
