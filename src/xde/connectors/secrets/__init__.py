"""Stores of secrets: a file for each scheme of a reference."""
