"""Ingestion: from source files to typed rows, with a dead letter for every record that could not be accepted."""
