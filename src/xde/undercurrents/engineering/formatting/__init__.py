"""A formatter for models: it moves tokens and comments about and never makes or drops one."""
