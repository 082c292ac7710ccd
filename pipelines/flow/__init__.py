"""What is on its way through a pipeline, as far as it needs no waiting."""
