"""The only way to the rows of pipelines."""
