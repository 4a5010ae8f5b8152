"""Serving: results in the form asked for."""
