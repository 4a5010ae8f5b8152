"""The outside world: one folder a system, one file a stage that it serves."""
