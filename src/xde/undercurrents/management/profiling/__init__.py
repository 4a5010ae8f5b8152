"""What data shows of itself: types, keys, references, what is missing and what is odd; asked of a database through a port."""
