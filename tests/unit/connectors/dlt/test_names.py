"""The names of dlt that are no promise of its own, each held by what it does: a release that moved one is told here, and nowhere else."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import os

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
import dlt
from xde.connectors.dlt import extracting


@dlt.source
def shop():
    @dlt.resource
    def orders(last=dlt.sources.incremental("id", initial_value=0)):
        assert last.last_value in (0, 4), last.last_value
        yield [{"id": 1}, {"id": 2}]
        yield [{"id": 3}, {"id": 4}, {"id": 4, "tied": True}]

    @dlt.transformer(data_from=orders)
    def lines(page):
        for order in page:
            yield {"order": order["id"]}

    return orders, lines


def found(name, state):
    return list(extracting.pages(shop(), name, state))


state = {}
assert found("orders", state) == [[{"id": 1}, {"id": 2}], [{"id": 3}, {"id": 4}, {"id": 4, "tied": True}]], "pages are kept"
cursor = state["sources"]["shop"]["resources"]["orders"]["incremental"]["id"]
assert cursor["last_value"] == 4 and len(cursor["unique_hashes"]) == 2, cursor
assert extracting.tied(state) == 2
again = extracting.read_back(extracting.plain(state))
assert again == state
assert not [r for page in found("orders", again) for r in page], "what was given is not given again"

pages = extracting.pages(shop(), "orders", at := {})
next(pages)
assert at["sources"]["shop"]["resources"]["orders"]["incremental"]["id"]["last_value"] == 2, "the state is that of the page"
pages.close()

extracting.MOST_TIES = 1
extracting.without_ties(state)
assert cursor["unique_hashes"] == []
assert [r["id"] for page in found("orders", state) for r in page] == [4, 4], "without its list it gives those that tie"
assert sorted(r["order"] for r in found("lines", {})) == [1, 2, 3, 4, 4]



@dlt.source
def keyed(word):
    @dlt.resource(primary_key="id")
    def things(last=dlt.sources.incremental("day")):
        yield [{"id": 1, "day": 1, "word": word}]

    return things


for by_key, given in ((True, 0), (False, 1)):
    list(extracting.pages(keyed("a"), "things", kept := {}, by_key=by_key))
    assert not sum(map(len, extracting.pages(keyed("a"), "things", extracting.read_back(extracting.plain(kept)), by_key=by_key)))
    assert sum(map(len, extracting.pages(keyed("b"), "things", kept, by_key=by_key))) == given

list(extracting.pages(keyed(2**70), "things", kept := {}, by_key=False))
assert not sum(map(len, extracting.pages(keyed(2**70), "things", kept, by_key=False))), "a long number is told from others too"

source = shop()
list(extracting.pages(source, "lines", {}))
(last,) = extracting.incrementals(source, "lines")
assert (last.lag, last.range_start, last.primary_key) == (None, "closed", None), last


@dlt.source
def marked():
    @dlt.resource
    def things():
        yield dlt.mark.with_table_name({"id": 1}, "elsewhere")
        yield dlt.mark.with_hints([{"id": 2}], dlt.mark.make_hints(table_name="others"))
        yield dlt.mark.materialize_table_schema()

    return things


assert [p for p in extracting.pages(marked(), "things", {}) if p] == [{"id": 1}, [{"id": 2}]]


@dlt.source
def broken():
    @dlt.resource
    def things():
        yield [1]
        raise KeyError("gone")

    return things


try:
    list(extracting.pages(broken(), "things", {}))
except extracting.WRAPPED as error:
    assert isinstance(error.__cause__, KeyError)
else:
    raise AssertionError("what a resource raises is wrapped")


@dlt.source
def locked(token: str = dlt.secrets.value):
    return []


try:
    locked()
except extracting.MISSING:
    pass
else:
    raise AssertionError("a setting without a value is told")

assert dlt.current.run_context().runtime_config.dlthub_telemetry is False, "nobody is told that it is used"
print("well", extracting.VERSION)
"""


@pytest.mark.slow
def test_the_names_of_dlt_do_what_they_did():
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:xde", "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("well 1."), done.stdout
