"""MQTT: what devices publish as sources."""
