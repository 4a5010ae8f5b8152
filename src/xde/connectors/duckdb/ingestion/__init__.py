"""Loading with DuckDB: from files as they were delivered to typed rows and dead letters."""
