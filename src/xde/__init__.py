"""The data engineering lifecycle from one folder of contracts, SQL and Python."""

__version__ = "0.1.0"
