"""What a team wrote down: settings, contracts and models, each with its place."""
