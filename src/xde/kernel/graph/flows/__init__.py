"""Flow functions: calls such as `dedupe(staging.flights, key := id)` found in a text, checked, and put into plain SQL."""
