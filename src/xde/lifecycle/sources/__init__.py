"""Sources: what a source system has to give, and how to look at it."""
