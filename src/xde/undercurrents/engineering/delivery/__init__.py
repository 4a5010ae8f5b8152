"""What brings a project to others: the pipelines that platforms run, the package that is tested, as texts and bytes; nothing is written here."""
