"""Layouts in Spark's words."""

import pytest

from xde.connectors.spark.parting import rows_of, spark_expression
from xde.kernel.project.arranging import expressions
from xde.lifecycle.storage.port import Column


@pytest.mark.parametrize(
    ("item", "wanted"),
    [
        ("month(day)", "date_trunc('month', `day`)"),
        ("hour(seen)", "date_trunc('hour', `seen`)"),
        ("bucket(16, id)", "pmod(xxhash64(`id`), 16)"),
        ("Flight", "`Flight`"),
        ('a"b', '`a"b`'),
    ],
)
def test_every_item_that_a_head_may_have(item, wanted):
    assert spark_expression(expressions([item])[0]) == wanted


def test_a_file_has_as_many_rows_as_make_its_size():
    assert rows_of(128_000_000, (Column("a", "BIGINT"), Column("b", "VARCHAR"))) == 10_666_666
    assert rows_of(1, (Column("a", "BIGINT"),)) == 1
