"""A column of a real PostgreSQL table that got another name: offered by a few of its values, where rows are asked for and where changes are captured."""

from __future__ import annotations

import pytest
from desk import COLUMNS
from projects.people import KEY, written

pytestmark = pytest.mark.postgres
HASHED = COLUMNS.replace(
    "{name: customer, logicalType: string}",
    '{name: customer, logicalType: string, customProperties: [{property: xdeInFlight, value: {hash: {key: "${env:PII_KEY}"}}}]}',
)


@pytest.mark.parametrize("captured", [True, False])
def test_a_column_of_a_server_is_offered_under_its_new_name(captured, desk, monkeypatch):
    monkeypatch.setenv("PII_KEY", KEY)
    desk.contract(columns=HASHED)
    if not captured:
        text = (desk.root / "sources/shop.yaml").read_text()
        word = "{property: xdeCapture, value: {}}"
        desk.write("sources/shop.yaml", text.replace(word, "{property: xdeWriteMode, value: replace}"))
    desk.sql("INSERT INTO orders SELECT n, 'planted ' || n, n, 'a note' FROM generate_series(1, 300) AS n")
    desk.done()
    desk.sql("ALTER TABLE orders RENAME customer TO buyer", "INSERT INTO orders VALUES (301, 'planted 301', 1, NULL)")
    (outcome,) = desk.run().values()
    finding = outcome.findings[0]
    assert (outcome.status, finding.code) == ("failed", "XDE0482")
    assert "`buyer` may be what was `customer`: 9" in finding.why or "`buyer` may be what was `customer`: 100 %" in finding.why
    assert "`{property: xdeAlsoNamed, value: [buyer]}` into `customProperties` of `customer`" in finding.hint
    assert [where for where, text in written(desk.root) if "planted" in text] == []
