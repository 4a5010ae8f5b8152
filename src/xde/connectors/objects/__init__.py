"""Objects of a store, as a source lists them and brings them here."""
