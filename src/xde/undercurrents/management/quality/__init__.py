"""Quality: contracts compiled to checks."""
