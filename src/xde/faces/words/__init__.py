"""Words: how findings, plans and runs are said, apart from where they are shown."""
