"""A query of DuckDB's, written anew for Spark: what was proven to give the same rows, and a finding for all else."""
