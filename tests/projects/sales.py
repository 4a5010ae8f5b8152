"""The smallest project that several tests share: sales of a country each."""

from projects.contracts import source

SALES = source(
    """\
  - name: sales
    physicalName: sales-*.csv
    properties:
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: country, logicalType: string}
""",
    name="sales",
)
