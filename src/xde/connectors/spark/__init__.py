"""Spark: the engine for what is too large for one machine, over the same files and by the same commits."""
