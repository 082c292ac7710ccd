"""The protocol described for programs: OpenAPI of the HTTP API, JSON Schema of what streams say."""
