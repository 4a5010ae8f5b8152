"""Coverage: the branches of a model's SQL, and which of them some input rows reach."""
