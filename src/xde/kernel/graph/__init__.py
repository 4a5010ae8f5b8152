"""Who reads whom: dependencies, column lineage and what a dataset means, read from the syntax tree."""
