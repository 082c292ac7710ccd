"""OpenAI Responses: what a client asks, and what a run is as a response.

https://platform.openai.com/docs/api-reference/responses, with the types of `openai` 3.57.0, read on
2026-11-30."""
