"""What a Python model is written with: `@model` above the function, `Reads` in the annotation of each input. Imports nothing of ours.

A project is read without running any of this: the words stand in the text, and must be written out in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Reads", "model"]


class Reads(NamedTuple):
    """The dataset that a parameter is given: `Annotated[pl.DataFrame, Reads("staging.flights", columns=["origin", "dest"])]`.

    `columns` are all that the model sees of it, and all that its version depends on; without them it is every column. `time` names
    the column that the model's own time is a copy of: then a build of an interval is given the rows of that interval only.
    """

    dataset: str
    columns: Sequence[str] = ()
    time: str | None = None


class _Any(Protocol):
    def __call__(self, *args: Any, **named: Any) -> Any: ...  # noqa: ANN401 - any function is a model that has the right annotations


Function = TypeVar("Function", bound=_Any)


@overload
def model(function: Function, /) -> Function: ...


@overload
def model(
    *,
    kind: str = ...,
    time: str = ...,
    key: str | Sequence[str] = ...,
    lookback: str = ...,
    grain: str = ...,
    start: str = ...,
    end: str = ...,
    batch: int = ...,
    description: str = ...,
    tags: Sequence[str] = ...,
    requires: Sequence[str] = ...,
    columns: Mapping[str, str] = ...,
    memory: str = ...,
    timeout: str = ...,
) -> Callable[[Function], Function]: ...


def model(function: Any = None, /, **words: Any) -> Any:  # noqa: ARG001 - the overloads say what goes in and out
    """The one function of a file that is its model; it stays what it is, so that tests can call it.

    The words are those of the head of a SQL model (`kind`, `time`, `key` ...), and `requires`: packages with the versions that
    will do; `columns`: names and types of what is given back, where no contract beside the file says so; `memory` and `timeout`:
    limits of its own.
    """
    return function if function is not None else _same


def _same(function: Any) -> Any:  # noqa: ANN401 - as it came
    return function
