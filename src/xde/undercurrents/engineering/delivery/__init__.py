"""What brings a project to others, as texts and bytes: the pipelines that platforms run, the package that is tested."""
