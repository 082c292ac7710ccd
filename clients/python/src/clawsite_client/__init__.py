"""Client of Clawsite: ask agents, and read their answers as they come, exactly once.

The protocol is that of the server's docs/protocol.md."""

from clawsite_client.answer import Event as Event
from clawsite_client.answer import Reply as Reply
from clawsite_client.asynchronous import AsyncClient as AsyncClient
from clawsite_client.errors import ClawError as ClawError
from clawsite_client.synchronous import Client as Client

__all__ = ["AsyncClient", "ClawError", "Client", "Event", "Reply"]
