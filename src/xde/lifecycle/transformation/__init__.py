"""Transformation: from a model's query to its table, through an engine."""
