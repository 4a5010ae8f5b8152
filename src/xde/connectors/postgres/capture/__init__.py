"""Changes of PostgreSQL's tables, read from its log by a logical replication slot."""
