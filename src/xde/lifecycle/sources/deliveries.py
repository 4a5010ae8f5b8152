"""What a source has delivered since the last load: a file is loaded once, by path, size and digest; a changed one is told."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from xde.ground.findings import Finding, Severity
from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xde.lifecycle.sources.port import FoundFile


@dataclass(slots=True)
class Deliveries:
    """A listing held against what was loaded: files not loaded yet (with digest), changed ones, and paths that are gone."""

    new: list[tuple[FoundFile, str]] = field(default_factory=list)
    changed: list[tuple[FoundFile, str]] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)


def compare(
    found: Sequence[FoundFile],
    loaded: Mapping[str, Mapping[str, object]],
    digest: Callable[[FoundFile, str], str],
    *,
    replacing: bool = False,
) -> Deliveries:
    """Which files are new, changed or gone.

    A file whose size and change time are those of the loaded one is not read again; a copy of a loaded file under another
    name (equal digest) is not new, unless a delivery replaces what was there: then what was so before may be so again.
    `digest` gives that of a file in the form of another: a file is held against what is known of each form.
    """
    deliveries = Deliveries(gone=sorted(set(loaded) - {f.path for f in found}))
    digests = set[str]() if replacing else {str(entry.get("digest")) for entry in loaded.values()}
    forms = list({_form(d): d for d in digests}.values()) or [""]
    for file in found:
        known = loaded.get(file.path)
        if known is not None and known.get("size") == file.size and known.get("changed_ns") == file.changed_ns:
            continue
        if known is not None:
            now = digest(file, str(known.get("digest")))
            if known.get("digest") != now:
                deliveries.changed.append((file, now))
        elif digests.isdisjoint(told := [digest(file, like) for like in forms]):
            digests.update(told)
            deliveries.new.append((file, told[0]))
    return deliveries


def _form(digest: str) -> str:
    """What a digest begins with that says how it was made."""
    return digest.rpartition(":")[0]


def changed_file(dataset: str, file: FoundFile, loaded_at: str) -> Finding:
    """The finding for a file that changed after it was loaded; its new content is not loaded unasked."""
    return Finding(
        "XDE0451",
        f"`{file.path}` has changed since it was loaded into `{dataset}`",
        why=f"its rows were loaded {loaded_at}; loading it again would put some of them there twice"
        if loaded_at
        else "its rows were loaded as they were before",
        hint=f"deliver the new rows under a new name, or reload all of it with `xde run --full {dataset}`",
        severity=Severity.WARNING,
    )


def gone_files(dataset: str, gone: Sequence[str]) -> Finding:
    """The finding for a reload that cannot be complete: what was loaded before is no longer there to be read again."""
    shown = ", ".join(f"`{p}`" for p in gone[:3]) + (" ..." if len(gone) > 3 else "")
    return Finding(
        "XDE0452",
        f"`{dataset}` would have to be loaded anew, but {len(gone)} of its files are gone",
        why=f"how it is read has changed, and its rows from {shown} could not be read again; the table as it was stays in use",
        hint="put the files back, or take the change of the contract back",
    )
