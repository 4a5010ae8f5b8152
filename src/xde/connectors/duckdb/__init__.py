"""DuckDB, the default engine: computes, loads and audits on one machine."""
