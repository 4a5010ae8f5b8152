"""NATS: its JetStream streams as sources."""
