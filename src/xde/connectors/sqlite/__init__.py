"""SQLite: files of a database that other programs write."""
