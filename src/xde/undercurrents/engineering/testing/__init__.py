"""Cases: given rows, expected rows; read from YAML, run in a sandbox, compared cell by cell."""
