"""Model providers: one folder each, and a line in `registry.PROVIDERS`."""
