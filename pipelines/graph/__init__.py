"""The stages of a pipeline. They decide without awaiting: an item and a time in, items out."""
