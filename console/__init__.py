"""The pages on which an organisation runs its agents, and the way in to them.

A page has no rule of its own: it calls what the REST API calls, as the member who looks at it."""
