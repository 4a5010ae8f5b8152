"""A linter for models: what an engine accepts and a reader regrets, found on the syntax tree with the promises of the contracts."""
