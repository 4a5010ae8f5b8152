"""The use cases and the wiring: the one room that knows everybody."""
