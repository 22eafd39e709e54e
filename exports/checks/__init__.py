"""A look at a dataset before a model is trained on it."""
