"""Arrow columns cast to the type that was promised without losing anything, or refused; works within lists, maps and structures too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable

_TEXT = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
_BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary)
_NUMBER = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
_LIST = (
    pa.types.is_list,
    pa.types.is_large_list,
    pa.types.is_fixed_size_list,
    pa.types.is_list_view,
    pa.types.is_large_list_view,
    pa.types.is_map,
)


class InexactError(Exception):
    """A column cannot become what was promised: `why` says so in words."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def exactly(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    """The same values in another type. Raises `InexactError` where a value would change, or where the types are of another kind."""
    given = array.type
    if isinstance(given, pa.ExtensionType):
        array, given = array.storage, array.type.storage_type
    if given.equals(wanted):
        return array
    if pa.types.is_dictionary(given):
        return exactly(array.dictionary_decode(), wanted)
    if pa.types.is_null(given):
        return pa.nulls(len(array), wanted)
    if pa.types.is_struct(wanted) and pa.types.is_struct(given):
        return _struct(array, wanted)
    if pa.types.is_map(wanted) and _any(given, _LIST):
        return _map(array, wanted)
    if pa.types.is_list(wanted) and _any(given, _LIST) and not pa.types.is_map(given):
        lengths, values = _taken_apart(array)
        return pa.ListArray.from_arrays(lengths, exactly(values, wanted.value_type), type=wanted, mask=_mask(array))
    if not _of_a_kind(given, wanted):
        raise InexactError(f"`{given}` is another kind of value")
    return _plain(array, wanted)


def _any(kind: pa.DataType, checks: tuple[Callable[[pa.DataType], bool], ...]) -> bool:
    return any(check(kind) for check in checks)


def _of_a_kind(given: pa.DataType, wanted: pa.DataType) -> bool:
    types = pa.types
    if types.is_timestamp(wanted):
        return bool(types.is_timestamp(given) and (given.tz is None) == (wanted.tz is None)) or (types.is_date(given) and wanted.tz is None)
    if types.is_date(wanted):
        return bool(types.is_date(given) or (types.is_timestamp(given) and given.tz is None))
    if types.is_boolean(wanted):
        return bool(types.is_boolean(given))
    return any(_any(given, kinds) and _any(wanted, kinds) for kinds in (_TEXT, _BYTES, _NUMBER))


def _plain(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    given = array.type
    if pa.types.is_float16(given):
        return exactly(array.cast(pa.float32()), wanted)
    try:
        made = array.cast(wanted, safe=True)
        # a safe cast rounds where the target is a float or a decimal, and forgets the time of a day
        lossy = (_any(given, _NUMBER) and (pa.types.is_floating(wanted) or pa.types.is_floating(given))) or pa.types.is_date(wanted)
        if lossy:
            _same(array, made.cast(given, safe=False))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OverflowError) as error:
        raise InexactError(" ".join(str(error).split())[:200]) from error
    return made


def _same(before: pa.Array, after: pa.Array) -> None:
    other = pc.not_equal(before, after)
    if pa.types.is_floating(before.type):
        other = pc.and_not(other, pc.and_(pc.is_nan(before), pc.is_nan(after)))
    if pc.any(other, min_count=0).as_py():
        value = before.filter(other)[0].as_py()
        raise InexactError(f"`{value}` would become another value")


def _struct(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    names = [f.name for f in array.type]
    fields = list(wanted)
    if sorted(names) != sorted(f.name for f in fields):
        raise InexactError(f"its fields are {', '.join(names)}, and should be {', '.join(f.name for f in fields)}")
    parts = dict(zip(names, array.flatten(), strict=True))
    made = [exactly(parts[f.name], f.type) for f in fields]
    return pa.StructArray.from_arrays(made, fields=fields, mask=_mask(array))


def _map(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    lengths, values = _taken_apart(array)
    if not pa.types.is_struct(values.type) or len(values.type) != 2:
        raise InexactError(f"`{array.type}` is no map")
    keys, items = values.flatten()
    entries = exactly(keys, wanted.key_type), exactly(items, wanted.item_type)
    return pa.MapArray.from_arrays(lengths, *entries, type=wanted, mask=_mask(array))


def _taken_apart(array: pa.Array) -> tuple[pa.Array, pa.Array]:
    """The offsets of a list's values, and the values; those of a list that is null are left out."""
    if pa.types.is_map(array.type):
        kind = array.type
        array = array.cast(pa.list_(pa.struct([("key", kind.key_type), ("value", kind.item_type)])))
    lengths = pc.fill_null(pc.list_value_length(array), 0)
    ends = pc.cumulative_sum(lengths.cast(pa.int32()))
    return pa.concat_arrays([pa.array([0], pa.int32()), ends]), pc.list_flatten(array)


def _mask(array: pa.Array) -> pa.Array:
    return pc.is_null(array)
