"""Software engineering under every stage: tests, and how good they are."""
