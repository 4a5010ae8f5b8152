"""What a server complains of, and what is told of it."""

from __future__ import annotations

import pytest
from psycopg import errors

from xde.connectors.postgres.failures import told
from xde.ground.errors import TemporaryError
from xde.lifecycle.sources.tables import Ask, AskedColumn, Capture, Place


def test_a_log_that_cannot_be_decoded_is_tried_again_and_the_way_out_is_told():
    place = Place("postgres", {"host": "h", "port": "5432", "database": "d"})
    error = errors.InternalError_('could not map filenode "base/1/2" to relation OID')
    captured = Ask(
        "shop.orders", place, "orders", None, (AskedColumn("id", "BIGINT"),), None, capture=Capture("xde", "xde_shop_orders", ("id",))
    )
    found = told(captured, error, broken=False)
    assert isinstance(found, TemporaryError)
    assert "cannot decode its log" in str(found)
    assert "`xde run --full shop.orders` begins anew" in str(found)
    read = Ask("shop.orders", place, "orders", None, (AskedColumn("id", "BIGINT"),), None)
    with pytest.raises(TemporaryError, match="broke off") as caught:
        raise told(read, error, broken=False)
    assert "--full" not in str(caught.value)
