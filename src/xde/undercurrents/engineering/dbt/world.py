"""What a rendering is given and what it leaves behind: datasets as templates see them, the world of a project, what was asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from xde.undercurrents.engineering.dbt.templates import Undecided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.undercurrents.engineering.dbt.templates import Templates


@dataclass(frozen=True, slots=True)
class Relation:
    """A dataset as templates see it; its text is the name by which xde knows it."""

    dataset: str
    model: str
    own: bool = False

    def __str__(self) -> str:
        if self.own:
            raise Undecided(
                "the model reads itself outside of `is_incremental()`", "say in SQL what of earlier rows it needs, or `kind: history`"
            )
        return self.dataset

    @property
    def schema(self) -> str:
        """The first part of the name."""
        return self.dataset.partition(".")[0]

    @property
    def identifier(self) -> str:
        """The second part."""
        return self.dataset.partition(".")[2]

    @property
    def name(self) -> str:
        """The second part."""
        return self.identifier

    @property
    def table(self) -> str:
        """The second part."""
        return self.identifier

    @property
    def database(self) -> NoReturn:
        """There is none here."""
        raise Undecided("the template asks for the database of a table", "datasets here are called by schema and name")

    def render(self) -> str:
        """The name."""
        return str(self)

    def include(self, **_: object) -> Relation:
        """The same."""
        return self

    def quote(self, **_: object) -> Relation:
        """The same."""
        return self


@dataclass(slots=True)
class Seen:
    """What one rendering asked for: what the text depends on."""

    reads: dict[str, int] = field(default_factory=dict)
    config: dict[str, object] = field(default_factory=dict)
    variables: dict[str, object] = field(default_factory=dict)
    incremental: bool = False
    remarks: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class World:
    """What all renderings of a project share: who is called what, the variables, the target, whether packages are wanted."""

    project: str
    templates: Templates
    refs: Mapping[str, str]
    sources: Mapping[tuple[str, str], str]
    variables: Mapping[str, object]
    target: Mapping[str, object]
    disabled: frozenset[str] = frozenset()
    docs: Mapping[str, str] = field(default_factory=dict)
    packages: bool = False
