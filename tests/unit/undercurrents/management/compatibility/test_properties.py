"""What holds for all contracts: nothing changes unseen, order plays no part, and the other way round is the other way round."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xde.kernel.project.odcs import contract_of
from xde.kernel.project.yaml_reader import read_yaml
from xde.undercurrents.management.compatibility.changes import changes_between
from xde.undercurrents.management.compatibility.kinds import ChangeKind
from xde.undercurrents.management.compatibility.pairing import likely

SAMPLES = Path(__file__).parents[3] / "kernel/project/samples"
FRAME = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": "c", "version": "1.0.0"}


def read(document):
    """A contract from plain data; JSON is YAML."""
    root, findings = read_yaml(json.dumps(document).encode(), "c.yaml")
    assert root is not None, findings
    return contract_of(root)


def maybe(strategy):
    return st.none() | strategy


def record(**fields):
    """A mapping whose entries may be missing."""
    return st.fixed_dictionaries({}, optional=fields)


NAMES = st.sampled_from(["a", "b", "c", "aa", "order_id", "orderid"])
TYPES = st.sampled_from(["INTEGER", "BIGINT", "SMALLINT", "UINTEGER", "DECIMAL(10,2)", "DECIMAL(12,2)", "FLOAT", "DOUBLE", "VARCHAR", "VARCHAR(5)", "DATE", "TIMESTAMP", "INTEGER[]", "BIGINT[]", "INT8"])  # fmt: skip
NUMBERS = st.integers(0, 3)
OPERATORS = st.sampled_from(["mustBe", "mustNotBe", "mustBeLessThan", "mustBeGreaterOrEqualTo"])
RULES = st.builds(
    lambda base, operator, number: {**base, operator: number},
    st.fixed_dictionaries(
        {"metric": st.sampled_from(["nullValues", "duplicateValues"])},
        optional={"id": st.sampled_from(["r", "s"]), "severity": st.sampled_from(["error", "warning"]), "unit": st.just("percent")},
    ),
    OPERATORS,
    NUMBERS,
)
COLUMNS = st.lists(
    st.builds(
        lambda name, more: {"name": name, **more},
        NAMES,
        record(
            logicalType=st.sampled_from(["string", "integer", "date"]),
            physicalType=TYPES,
            required=st.booleans(),
            unique=st.booleans(),
            primaryKey=st.booleans(),
            partitioned=st.booleans(),
            classification=st.sampled_from(["public", "internal", "restricted", "amber"]),
            enum=st.lists(st.sampled_from(["x", "y", "z"]).map(lambda v: {"value": v}), unique_by=str, min_size=1),
            logicalTypeOptions=record(
                minimum=NUMBERS,
                maximum=NUMBERS,
                exclusiveMinimum=NUMBERS,
                minLength=NUMBERS,
                maxLength=NUMBERS,
                multipleOf=st.integers(1, 6),
                pattern=NAMES,
            ),
            description=st.sampled_from(["in minutes", "in seconds", "whatever"]),
            tags=st.lists(st.sampled_from(["pii", "x"]), unique=True),
            quality=st.lists(RULES, max_size=2),
            relationships=st.lists(st.sampled_from(["t.a", "u.b", "v.c"]).map(lambda to: {"to": to}), max_size=2, unique_by=str),
        ),
    ),
    max_size=4,
    unique_by=lambda c: c["name"],
)
TABLES = st.lists(
    st.builds(
        lambda name, columns, more: {"name": name, "properties": columns, **more},
        st.sampled_from(["t", "u"]),
        COLUMNS,
        record(dataGranularityDescription=NAMES, physicalName=NAMES, quality=st.lists(RULES, max_size=1)),
    ),
    max_size=2,
    unique_by=lambda t: t["name"],
)
LEVELS = st.lists(
    st.fixed_dictionaries(
        {
            "property": st.sampled_from(["latency", "retention", "availability", "endOfSupport", "other"]),
            "value": st.sampled_from([1, 2, "P1D", "2027-01-01"]),
        },
        optional={"unit": st.sampled_from(["d", "h"])},
    ),
    max_size=3,
    unique_by=lambda v: v["property"],
)
CONTRACTS = st.builds(
    lambda tables, more: {**FRAME, "schema": tables, **more},
    TABLES,
    record(
        slaProperties=LEVELS,
        status=st.sampled_from(["draft", "active", "deprecated", "retired"]),
        servers=st.lists(NAMES.map(lambda n: {"server": n, "type": "local", "path": n, "format": "csv"}), max_size=2, unique_by=str),
    ),
)
OTHER_WAY = (
    *(("ADDED", "DROPPED"), ("ADDED", "REMOVED"), ("LOOSENED", "TIGHTENED"), ("WIDENED", "NARROWED"), ("RAISED", "LOWERED"), ("STATED", "WITHDRAWN")),
    *(("SHORTENED", "LENGTHENED"), ("SOONER", "LATER"), ("ENDS", "GOES_ON"), ("PROMISED", "WITHDRAWN"), ("DEPRECATED", "RESTORED"), ("RETIRED", "RESTORED"), ("DEPRECATED", "WITHDRAWN")),
    *(("REQUIRED_TO_NULLABLE", "NULLABLE_TO_REQUIRED"), ("RULE_WAIVED", "WAIVER_ENDED")),
)  # fmt: skip


def turned(kind: ChangeKind) -> set[ChangeKind]:
    """What a kind may be called the other way round."""
    names = {kind.name.replace(a, b) for pair in OTHER_WAY for a, b in (pair, pair[::-1]) if a in kind.name} or {kind.name}
    return {ChangeKind[n] for n in names if n in ChangeKind.__members__}


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(CONTRACTS, CONTRACTS)
def test_the_other_way_round_additions_are_drops(one, other):
    there, back = changes_between(read(one), read(other)), changes_between(read(other), read(one))
    key = repr
    left = sorted(((c.was, c.now, key(c.before), key(c.after)) for c in there), key=repr)
    right = sorted(((c.now, c.was, key(c.after), key(c.before)) for c in back), key=repr)
    assert left == right
    waiting = list(back)
    for change in there:
        found = next(
            c
            for c in waiting
            if (c.now, c.was, key(c.after), key(c.before)) == (change.was, change.now, key(change.before), key(change.after))
            and c.kind in turned(change.kind)
        )
        waiting.remove(found)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(CONTRACTS, CONTRACTS, st.randoms(use_true_random=False))
def test_the_order_of_a_contract_plays_no_part(one, other, chance):
    plain = [c for c in changes_between(read(one), read(other)) if c.kind is not ChangeKind.COLUMNS_REORDERED]
    mixed = [shuffled(d, chance) for d in (one, other)]
    found = [c for c in changes_between(read(mixed[0]), read(mixed[1])) if c.kind is not ChangeKind.COLUMNS_REORDERED]
    keys = {ChangeKind.KEY_CHANGED, ChangeKind.KEY_ADDED, ChangeKind.KEY_DROPPED}  # without positions a key is in the order of the columns
    partitions = {ChangeKind.KEY_REORDERED, ChangeKind.PARTITIONS_REORDERED}
    told = [
        [
            (c.kind, c.was, c.now, c.about, "" if c.kind in keys else (repr(c.before), repr(c.after)))
            for c in side
            if c.kind not in partitions
        ]
        for side in (plain, found)
    ]
    assert told[0] == told[1]


def shuffled(document, chance: random.Random):
    """The same contract in another order, but for rules without an id, which are told apart by their order."""
    made = copy.deepcopy(document)
    for table in made["schema"]:
        chance.shuffle(table["properties"])
        for column in table["properties"]:
            for word in ("enum", "tags", "relationships"):
                chance.shuffle(column.get(word, []))
    for word in ("schema", "slaProperties", "servers"):
        chance.shuffle(made.get(word, []))
    return made


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(CONTRACTS)
def test_a_contract_does_not_differ_from_itself(one):
    assert changes_between(read(one), read(one)) == ()


def leaves(node, path=()):
    """The paths of all values of a document."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, (*path, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from leaves(value, (*path, number))
    else:
        yield path


def otherwise(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}x" if isinstance(value, str) else "x"


def small(document, path):
    """A contract of no more than what the path leads through: it is read hundreds of times."""
    if path[0] != "schema":
        return {**FRAME, path[0]: document[path[0]]}, path
    table = document["schema"][path[1]]
    if path[2] != "properties":
        return {**FRAME, "schema": [{"name": "t", path[2]: table[path[2]]}]}, ("schema", 0, *path[2:])
    return {**FRAME, "schema": [{"name": "t", "properties": [table["properties"][path[3]]]}]}, ("schema", 0, "properties", 0, *path[4:])


@pytest.mark.parametrize("name", ["crm.odcs.yaml", "lineitem.odcs.yaml"])
def test_no_value_of_a_real_contract_changes_unseen(name):
    root, _ = read_yaml((SAMPLES / name).read_bytes(), name)
    whole = root.data()
    unseen = []
    for place in leaves(whole):
        if place[0] in {"version", "kind"}:
            continue
        document, path = small(whole, place)
        changed = copy.deepcopy(document)
        inner = changed
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = otherwise(inner[path[-1]])
        if not changes_between(read(document), read(changed)):
            unseen.append(place)
    assert unseen == []


def test_who_looks_renamed_is_the_likeliest_of_the_same_type():
    assert likely({"arr_delay": "i", "dep_delay": "i"}, {"arrival_delay": "i", "departure_delay": "i"}) == {
        "arr_delay": "arrival_delay",
        "dep_delay": "departure_delay",
    }
    assert likely({"arr_delay": "i"}, {"arrival_delay": "s"}) == {}
    assert likely({"x": "i"}, {"arrival_delay": "i"}) == {}
