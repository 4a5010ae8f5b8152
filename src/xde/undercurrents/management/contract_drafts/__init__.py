"""A first contract from a profile: what the data shows as rules with their evidence, what it cannot tell as questions."""
