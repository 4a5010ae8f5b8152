"""Columns cast without loss, or refused."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from xde.connectors.python.exact import InexactError, exactly

MAP = pa.map_(pa.string(), pa.int64())
NESTED = pa.struct([("a", pa.int64()), ("b", pa.list_(pa.decimal128(9, 2)))])


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (pa.array([1, None], pa.int8()), pa.int64()),
        (pa.array([1, None], pa.int64()), pa.int8()),
        (pa.array([1.0, None]), pa.int64()),
        (pa.array([1, None], pa.uint64()), pa.decimal128(20, 0)),
        (pa.array([0.1, None, float("nan"), float("inf")]), pa.float64()),
        (pa.array([0.5, None, float("nan")]), pa.float32()),
        (pa.array([0.1, 12.25, None]), pa.decimal128(9, 2)),
        (pa.array([Decimal("1.50"), None]), pa.decimal128(18, 1)),
        (pa.array([Decimal("0.1")], pa.decimal128(9, 2)), pa.float64()),
        (pa.array(["a", None], pa.large_string()), pa.string()),
        (pa.array(["a", "b", "a", None]).dictionary_encode(), pa.string()),
        (pa.array([b"a", None], pa.large_binary()), pa.binary()),
        (pa.array([None, None]), NESTED),
        (pa.array([dt.date(2024, 1, 1), None]), pa.timestamp("us")),
        (pa.array([dt.datetime(2024, 1, 1), None], pa.timestamp("ns")), pa.date32()),  # noqa: DTZ001 - of a column without zone
        (pa.array([dt.datetime(2024, 1, 1, 1, 2, 3, 456789), None], pa.timestamp("ns")), pa.timestamp("us")),  # noqa: DTZ001 - of a column without zone
        (pa.array([0, None], pa.timestamp("ms", "Europe/Vienna")), pa.timestamp("us", "UTC")),
        (pa.array([[1, None], None, []], pa.large_list(pa.int8())), pa.list_(pa.int64())),
        (pa.array([[1, 2], None], pa.list_(pa.int8(), 2)), pa.list_(pa.int64())),
        (
            pa.array([{"b": [Decimal("1.5")], "a": 1}, None], pa.struct([("b", pa.large_list(pa.decimal128(5, 1))), ("a", pa.int8())])),
            NESTED,
        ),
        (pa.array([[("k", 1)], None, []], pa.map_(pa.large_string(), pa.int8())), MAP),
        (pa.array([[{"key": "k", "value": 1}], None], pa.large_list(pa.struct([("key", pa.string()), ("value", pa.int8())]))), MAP),
    ],
    ids=lambda v: str(v.type if isinstance(v, pa.Array) else v)[:40],
)
def test_the_same_values_come_out_also_of_a_slice(given: pa.Array, wanted: pa.DataType) -> None:
    for array in (given, given[1:], given[:0]):
        made = exactly(array, wanted)
        made.validate(full=True)
        assert made.type == wanted
        assert [plain(v) for v in made.to_pylist()] == [plain(v) for v in array.to_pylist()]


def plain(value: object) -> object:
    """A value in the words of no type in particular."""
    match value:
        case Decimal() | int() | float():
            return str(float(value))
        case dt.datetime():
            return value.astimezone(dt.UTC).isoformat() if value.tzinfo else value.isoformat()
        case dt.date():
            return f"{value.isoformat()}T00:00:00"
        case list():
            return sorted([plain(v) for v in value], key=str)
        case tuple():
            return {"key": plain(value[0]), "value": plain(value[1])}
        case dict():
            return {k: plain(v) for k, v in sorted(value.items())}
        case _:
            return value


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (pa.array([300]), pa.int8()),
        (pa.array([1.5]), pa.int64()),
        (pa.array([float("nan")]), pa.int64()),
        (pa.array([2**53 + 1]), pa.float64()),
        (pa.array([0.1]), pa.float32()),
        (pa.array([0.125]), pa.decimal128(9, 2)),
        (pa.array([Decimal("1.25")]), pa.decimal128(9, 1)),
        (pa.array([Decimal("123.4")]), pa.decimal128(3, 1)),
        (pa.array(["1"]), pa.int64()),
        (pa.array([1]), pa.string()),
        (pa.array([True]), pa.int64()),
        (pa.array([1]), pa.bool_()),
        (pa.array(["a"]), pa.binary()),
        (pa.array([0], pa.timestamp("us")), pa.timestamp("us", "UTC")),
        (pa.array([0], pa.timestamp("us", "UTC")), pa.timestamp("us")),
        (pa.array([1], pa.timestamp("ns")), pa.timestamp("us")),
        (pa.array([dt.datetime(2024, 1, 1, 1)]), pa.date32()),  # noqa: DTZ001 - of a column without zone
        (pa.array([dt.timedelta(1)]), pa.int64()),
        (pa.array([[1.5]]), pa.list_(pa.int64())),
        (pa.array([1]), pa.list_(pa.int64())),
        (pa.array([{"a": 1}]), NESTED),
        (pa.array([[1]]), MAP),
    ],
    ids=lambda v: str(v.type if isinstance(v, pa.Array) else v)[:40],
)
def test_what_would_change_is_refused(given: pa.Array, wanted: pa.DataType) -> None:
    with pytest.raises(InexactError):
        exactly(given, wanted)
