"""All events of an organisation, as one stream that can be resumed."""
