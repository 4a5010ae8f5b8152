"""Whole tables of PostgreSQL read by ConnectorX: values in the server's binary form, in a process of its own."""
