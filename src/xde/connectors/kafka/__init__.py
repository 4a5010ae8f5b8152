"""Kafka and what speaks its protocol: topics as sources."""
