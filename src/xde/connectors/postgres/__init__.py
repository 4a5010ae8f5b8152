"""PostgreSQL: tables of a server that other programs write."""
