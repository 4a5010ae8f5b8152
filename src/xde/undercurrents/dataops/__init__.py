"""The running of it: what it costs."""
