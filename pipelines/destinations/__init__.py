"""Where the items of pipelines go to."""
