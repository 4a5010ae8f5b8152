"""APIs over HTTP."""
