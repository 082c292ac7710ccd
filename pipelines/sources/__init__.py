"""Where the items of pipelines come from."""
