"""Pipelines: what happens in an organisation, and what is sent to it, filtered, counted and taken
to other systems as it comes."""
