"""The objects of the REST API: requests and answers."""
