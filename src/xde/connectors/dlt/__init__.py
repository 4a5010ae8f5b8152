"""Sources of dlt: its extractors alone, each run in a process of its own; the loader, the positions and the dead letters are ours."""
