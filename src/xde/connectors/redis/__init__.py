"""Redis: its streams as sources."""
