"""The carrying out of a plan: steps in order of their inputs, on a bounded pool, every change told as an event."""
