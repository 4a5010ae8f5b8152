"""Two versions of a contract compared: what changed, whom it breaks, and whether the declared version says so."""
