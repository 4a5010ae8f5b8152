"""What can be said of secrets in `xde.yaml` without asking anybody: references that are none or stand idle, passwords in the open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Severity
from xde.ground.secrets import sounds_secret
from xde.kernel.project.secret_references import EXAMPLES, password_in, references, unclear
from xde.kernel.project.tree import Mapping, Node, Scalar, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.kernel.project.fields import Complaints

READ_IN = ("lake", "ledger", "engine")


def check_references(root: Mapping, say: Complaints) -> None:
    """Complain about everything that is wrong with references, and about what should be one."""
    read = {id(node) for place in _places(root) for node in walk(place)}
    for node in walk(root):
        if isinstance(node, Scalar) and "${" in node.text:
            _check(node, say, read=id(node) in read)
    for place in _places(root):
        _check_open(place, say)


def _check(node: Scalar, say: Complaints, *, read: bool) -> None:
    for found in unclear(node.text):
        say.add("XDE0115", f"`{found.text}` is no reference", node, "not known", f"a reference is {EXAMPLES}", found.hint)
    for reference in references(node.text) if not read else ():
        why = "references are read in `lake`, `ledger` and `engine` alone: what models see stays in plans and tables for all to read"
        say.add("XDE0151", f"`{reference}` is not read here", node, "stays as it is", why, "write the value, or take it away")


def _places(root: Mapping) -> Iterator[Node]:
    """The parts of the settings in which references are read."""
    environments = root.mapping("environments")
    own = (
        [root.items, *(e.items for e in environments.items.values() if isinstance(e, Mapping))]
        if environments is not None
        else [root.items]
    )
    for items in own:
        yield from (items[key] for key in READ_IN if key in items)


def _check_open(place: Node, say: Complaints) -> None:
    """Warn of passwords that stand there to be read, and are kept with every deployment."""
    for node in walk(place):
        if isinstance(node, Scalar) and password_in(node.text):
            _warn(node, say)
    options = place.mapping("options") if isinstance(place, Mapping) else None
    for name, node in options.items.items() if options is not None else ():
        if isinstance(node, Scalar) and sounds_secret(name) and node.text and "${" not in node.text:
            _warn(node, say)


def _warn(node: Scalar, say: Complaints) -> None:
    why = "`xde.yaml` is in the repository, and is kept in the lake with every deployment"
    hint = "put it elsewhere and write a reference: `${env:NAME}`, `${file:PATH}`"
    say.findings.items.append(
        Finding("XDE0158", "a password stands in `xde.yaml`", node.span, "for all to read", why, hint, Severity.WARNING)
    )
