"""The functions that a query may call on Spark, by the names that DuckDB has for them; each is proven by a probe of `tests/spark`."""

from __future__ import annotations

FUNCTIONS: dict[str, str] = {}
"""Name, and the kind it is listed under in the documentation."""


def _of(kind: str, names: str) -> None:
    FUNCTIONS.update(dict.fromkeys(names.split(), kind))


_of(
    "numbers",
    """
    abs ceil ceiling floor round ln log log2 log10 exp sqrt cbrt pow power sign isnan isinf pi greatest least sin cos tan
    asin acos atan degrees radians
    """,
)
_of(
    "conditions",
    """
    coalesce ifnull nullif if
    """,
)
_of(
    "texts",
    """
    upper ucase lower lcase length len char_length character_length trim ltrim rtrim substr substring left right concat
    concat_ws replace translate strpos instr position contains starts_with prefix ends_with suffix lpad rpad repeat
    split_part string_split str_split split md5 sha256 regexp_matches regexp_full_match regexp_extract regexp_replace
    """,
)
_of(
    "dates and times",
    """
    year quarter month week weekofyear day dayofmonth dayofweek weekday isodow dayofyear hour minute second isoyear epoch
    date_part datepart extract date_trunc datetrunc date_diff datediff make_date make_timestamp last_day dayname monthname
    strftime strptime to_years to_months to_weeks to_days to_hours to_minutes to_seconds
    to_microseconds epoch_us
    """,
)
_of(
    "aggregates",
    """
    count count_if countif sum avg mean min max bool_and bool_or stddev stddev_samp stddev_pop variance var_samp var_pop
    corr covar_samp covar_pop median quantile_cont mode arg_max arg_min max_by min_by list array_agg string_agg
    group_concat listagg first last
    """,
)
_of(
    "windows",
    """
    row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
    """,
)
_of(
    "lists and structs",
    """
    list_contains array_contains list_has list_transform list_filter array_length flatten array_to_string struct_pack
    struct_extract
    """,
)
_of(
    "rows",
    """
    unnest generate_series range
    """,
)
