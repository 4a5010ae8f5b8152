"""The one file that knows dlt's own names: a source is made, one resource of it is asked for its pages, and its state is ours.

`Container`, `StateInjectableContext` and the like are no promise of dlt's. A test holds all of them, and tells of a release that moved one.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import inspect
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import dlt
from dlt.common import json
from dlt.common.configuration.container import Container
from dlt.common.configuration.exceptions import ConfigurationException
from dlt.common.configuration.resolve import inject_section
from dlt.common.pipeline import StateInjectableContext
from dlt.common.schema import Schema
from dlt.extract import DltResource, DltSource
from dlt.extract.exceptions import ResourceExtractionError
from dlt.extract.extractors import ImportFileMeta
from dlt.extract.incremental import Incremental, IncrementalResourceWrapper, transform
from dlt.extract.pipe_iterator import ManagedPipeIterator
from dlt.extract.source import SourceInjectableContext, SourceSchemaInjectableContext
from dlt.extract.utils import digest_dedup_value

from xde.connectors.dlt.job import MOST_TIES
from xde.connectors.dlt.writing import written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.connectors.dlt.job import Job

VERSION: str = dlt.__version__
MISSING, WRAPPED = ConfigurationException, ResourceExtractionError  # a setting that nobody gives; what a resource raised


class NoSourceError(Exception):
    """What is named is no source: `word` is module, function, gives, arguments or resource, `there` what there is instead."""

    def __init__(self, word: str, why: str = "", there: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.word, self.why, self.there = word, why, there


def opened(job: Job) -> DltSource:
    """The source. Raises `NoSourceError`, and whatever its code raises."""
    module_name, _, name = job.source.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise NoSourceError("module", module_name) from None
        raise
    made = getattr(module, name, None)
    if made is None:
        raise NoSourceError("function", name, tuple(n for n, v in vars(module).items() if not n.startswith("_") and callable(v)))
    return _source(_called(made, job.arguments), name)


def _called(made: Any, arguments: dict[str, Any]) -> Any:  # noqa: ANN401 - whatever somebody's code gives
    if isinstance(made, DltSource) or (isinstance(made, DltResource) and not arguments):
        return made
    if not callable(made):
        return made
    try:
        inspect.signature(made).bind_partial(**arguments)
    except TypeError as error:
        raise NoSourceError("arguments", str(error), tuple(inspect.signature(made).parameters)) from None
    except ValueError:  # it does not tell its signature
        pass
    return made(**arguments)


def _source(given: Any, name: str) -> DltSource:  # noqa: ANN401 - whatever somebody's code gives
    if isinstance(given, DltSource):
        return given
    resources = [given] if isinstance(given, DltResource) else list(given) if isinstance(given, (list, tuple)) else []
    if not resources or not all(isinstance(r, DltResource) for r in resources):
        raise NoSourceError("gives", type(given).__name__)
    return DltSource(Schema(name), name, resources)


def pages(source: DltSource, resource: str, state: dict[str, Any], *, by_key: bool = True) -> Iterator[Any]:
    """What a resource gives, page by page as it gives it; `state` is filled as dlt fills it.

    Of records with the last value of a cursor those that were given before are left out. They are known `by_key` where the resource has
    one; else by all that they hold, so that one which has changed is given again.

    Where a page is made of another's records one by one, the state is ahead of what was given: it is good only once all has been given.
    """
    chosen = source.with_resources(resource)
    for cursor in _steps(chosen, resource, (Incremental, IncrementalResourceWrapper)) if not by_key else ():
        cursor.set_deduplication_key(None, from_hints=True)
    section = chosen._get_config_section_context()  # noqa: SLF001 - see the first lines
    contexts = [
        section,
        StateInjectableContext(state=cast("Any", state)),
        SourceSchemaInjectableContext(chosen.schema),
        SourceInjectableContext(chosen),
    ]
    with inject_section(section), _injected(contexts[1:]):
        given: Any = ManagedPipeIterator.from_pipes(chosen._resources.selected_pipes, yield_parents=False)  # noqa: SLF001 - see the first lines
    given.set_context(contexts)
    try:
        for page in given:
            if isinstance(page.meta, ImportFileMeta):
                raise TypeError(f"`{resource}` gives files for dlt to import, and no records")
            if page.item is not None:
                yield page.item
    finally:
        given.close()


@contextmanager
def _injected(contexts: list[Any]) -> Iterator[None]:
    if not contexts:
        yield
        return
    with Container().injectable_context(contexts[0]), _injected(contexts[1:]):
        yield


def _known_as(value: Any, legacy: bool = False) -> str:  # noqa: ANN401, FBT001, FBT002 - as dlt has it
    """The hash of a record as dlt makes it, and where that cannot be made (a number of more than 64 bits) one of all that it holds."""
    try:
        return str(digest_dedup_value(value, legacy))
    except (TypeError, ValueError):
        return base64.b64encode(hashlib.blake2b(written(value).encode("utf-8", "surrogatepass"), digest_size=9).digest()).decode()


vars(transform)["digest_dedup_value"] = _known_as  # where dlt looks it up


def incrementals(source: DltSource, resource: str) -> Iterator[Incremental[Any]]:
    """What tells new records, of a resource and of those that it is made from, once it was read."""
    for step in _steps(source, resource, (Incremental, IncrementalResourceWrapper)):
        found = step.incremental if isinstance(step, IncrementalResourceWrapper) else step
        if found is not None:
            yield found


def _steps(source: DltSource, resource: str, kinds: tuple[type, ...]) -> Iterator[Any]:
    """The steps of some kinds that records go through, of a resource and of those that it is made from."""
    pipe: Any = source.resources[resource]._pipe  # noqa: SLF001 - see the first lines
    while pipe is not None:
        yield from (step for step in pipe.steps if isinstance(step, kinds))
        pipe = pipe.parent


def tied(state: object) -> int:
    """The greatest number of records that share the last value of a cursor, as a state knows them."""
    return max((len(c["unique_hashes"]) for c in _cursors(state)), default=0)


def without_ties(state: object) -> None:
    """Let a state forget which records share the last value of a cursor, where they are many: they are given once more."""
    for cursor in _cursors(state):
        if len(cursor["unique_hashes"]) > MOST_TIES:
            cursor["unique_hashes"] = []


def _cursors(state: object) -> Iterator[dict[str, Any]]:
    if isinstance(state, dict):
        if isinstance(state.get("unique_hashes"), list):
            yield state
        for value in state.values():
            yield from _cursors(value)


def plain(state: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """A state as plain JSON: times and decimals in it as dlt writes them, so that it reads them back."""
    return json.loads(json.typed_dumps(state))


def read_back(told: object) -> dict[str, Any]:
    """The state of plain JSON."""
    found: dict[str, Any] = json.typed_loads(json.dumps(told)) if told else {}
    return found
