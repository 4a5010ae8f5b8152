"""The smallest project that several tests share: sales of a country each."""

SALES = """\
apiVersion: v3.1.0
kind: DataContract
id: sales
version: 1.0.0
servers: [{server: local, type: local, path: data, format: csv}]
schema:
  - name: sales
    physicalName: sales-*.csv
    properties:
      - {name: id, logicalType: integer, primaryKey: true}
      - {name: country, logicalType: string}
"""
