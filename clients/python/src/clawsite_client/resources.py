"""The resources of the API. The methods are the same in both clients: `Client` returns the values
that are named here, `AsyncClient` something to await or to iterate over that gives them."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from clawsite_client.steps import Request, Steps, fetching, following, replying
from clawsite_client.tools import Function, Tool, tools_of

Text = str | list[dict[str, str]]
"""A message, or a history: `{"role": ..., "content": ...}` each."""


class Carrier(Protocol):
    """Carries steps out."""

    retries: int

    def run(self, steps: Steps) -> Any:
        """The value that the steps return."""
        ...

    def events(self, steps: Steps) -> Any:
        """The events that the steps tell."""
        ...


class Resource:
    """Base of what there is to ask for."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def _ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        given = {name: value for name, value in query.items() if value is not None}
        request = Request(method, path, body, given)
        return self._carrier.run(fetching(request, self._carrier.retries))

    def _follow(self, request: Request, tools: Mapping[str, Tool]) -> Steps:
        return following(request, tools, self._carrier.retries)


class Chat(Resource):
    """Answers to one message, or to a history of your own.

    `agent` is the slug or id where the client's address does not say it; `conversation_id` goes on
    with that conversation; `tools` are Python functions that the agent may call, `attachments` the
    ids of files."""

    def stream(self, text: Text, **options: Any) -> Any:
        """The events of the answer as they come. Leaving them does not stop the answer.

        `client_message_id` names the message, and its run until the run's id is known."""
        return self._carrier.events(self._steps(text, **options))

    def send(self, text: Text, **options: Any) -> Any:
        """The whole answer, a `Reply`. Raises ClawError."""
        return self._carrier.run(replying(self._steps(text, **options)))

    def _steps(
        self,
        text: Text,
        *,
        agent: str | None = None,
        conversation_id: str | None = None,
        tools: Iterable[Function | Tool] = (),
        attachments: Iterable[str] = (),
        client_message_id: str | None = None,
    ) -> Steps:
        known = tools_of(tools)
        body = {
            "message" if isinstance(text, str) else "messages": text,
            "agentId": agent,
            "conversationId": conversation_id,
            "tools": [tool.told for tool in known.values()],
            "attachments": list(attachments),
        }
        given = {name: value for name, value in body.items() if value}
        named = {"Idempotency-Key": client_message_id} if client_message_id else {}
        return self._follow(Request("POST", "/api/chat/stream", given, headers=named), known)


class Conversations(Resource):
    """Conversations of the agent, or of all agents that the key opens."""

    def list(self, *, before: str | None = None, limit: int | None = None) -> Any:
        """`{"conversations": [...], "nextCursor": ...}`, the latest first."""
        return self._ask("GET", "/api/conversations", before=before, limit=limit)

    def create(self, *, id: str | None = None, title: str | None = None) -> Any:
        """A new conversation; `id` is your name for it."""
        return self._ask("POST", "/api/conversations", {"id": id, "title": title})

    def get(self, conversation_id: str) -> Any:
        """One conversation."""
        return self._ask("GET", _at("conversations", conversation_id))

    def rename(self, conversation_id: str, title: str) -> Any:
        """Give it another title."""
        return self._ask("PATCH", _at("conversations", conversation_id), {"title": title})

    def delete(self, conversation_id: str) -> Any:
        """Erase it with all that was said."""
        return self._ask("DELETE", _at("conversations", conversation_id))

    def messages(self, conversation_id: str, *, before: str | None = None) -> Any:
        """`{"messages": [...], "nextCursor": ...}`, the oldest first."""
        return self._ask("GET", f"{_at('conversations', conversation_id)}/messages", before=before)

    def send_message_stream(self, conversation_id: str, content: str, **options: Any) -> Any:
        """As `chat.stream`, in a conversation that there is, or begins with it."""
        return Chat(self._carrier).stream(content, conversation_id=conversation_id, **options)


class Agents(Resource):
    """Agents of the organisation, and what they know."""

    def list(self) -> Any:
        """`{"agents": [...], "nextCursor": ...}`."""
        return self._ask("GET", "/api/agents")

    def create(self, **fields: Any) -> Any:
        """A new agent; the key needs `agents:write`."""
        return self._ask("POST", "/api/agents", fields)

    def get(self, agent: str) -> Any:
        """One agent."""
        return self._ask("GET", _at("agents", agent))

    def add_document(self, agent: str, name: str, content: bytes) -> Any:
        """A document for it to answer from."""
        request = Request("POST", f"{_at('agents', agent)}/documents", file=(name, content))
        return self._carrier.run(fetching(request, self._carrier.retries))


class Files(Resource):
    """Files that are sent with messages."""

    def upload(self, name: str, content: bytes, *, agent: str | None = None) -> Any:
        """`{"id", "name", "mediaType", "bytes"}` of a file, whose id is one of `attachments`."""
        query = {"agentId": agent} if agent else {}
        request = Request("POST", "/api/files", query=query, file=(name, content))
        return self._carrier.run(fetching(request, self._carrier.retries))


class Runs(Resource):
    """Single answers, also of other clients."""

    def get(self, run_id: str) -> Any:
        """A run as it stands."""
        return self._ask("GET", _at("runs", run_id))

    def events(self, run_id: str) -> Any:
        """Its events from the first one on, until it ends."""
        request = Request("GET", f"{_at('runs', run_id)}/events")
        return self._carrier.events(self._follow(request, {}))

    def cancel(self, run_id: str) -> Any:
        """Stop it."""
        return self._ask("POST", f"{_at('runs', run_id)}/cancel")

    def approve(
        self,
        run_id: str,
        call: Mapping[str, Any],
        *,
        approve: bool = True,
        reason: str | None = None,
        args: dict[str, Any] | None = None,
        always: str | None = None,
    ) -> Any:
        """Decide about a call that waits: an event `approval_required`, or an entry of a run's
        `pending`. `always`: approve later calls of the tool too, of the `conversation` or of the
        `agent`."""
        body: dict[str, Any] = {"approve": approve, "argsDigest": call["argsDigest"]}
        body |= {"reason": reason} if reason else {}
        body |= {"args": args} if args is not None else {}
        body |= {"always": always} if always else {}
        return self._ask("POST", f"{_at('runs', run_id)}/approvals/{quote(call['id'])}", body)

    def answer(self, run_id: str, question_id: str, text: str) -> Any:
        """Answer a question of the agent."""
        body = {"id": question_id, "text": text}
        return self._ask("POST", f"{_at('runs', run_id)}/answers", body)

    def decline(self, run_id: str, question_id: str) -> Any:
        """Leave a question of the agent without an answer."""
        body = {"id": question_id, "decline": True}
        return self._ask("POST", f"{_at('runs', run_id)}/answers", body)


class Resources:
    """Everything that a client has."""

    def __init__(self, carrier: Carrier) -> None:
        self.chat, self.conversations = Chat(carrier), Conversations(carrier)
        self.agents, self.files, self.runs = Agents(carrier), Files(carrier), Runs(carrier)
        self._plain = Resource(carrier)

    def keys(self) -> Any:
        """`{"keys": [...], "nextCursor": ...}` of the organisation."""
        return self._plain._ask("GET", "/api/keys")

    def usage(self, *, group_by: str | None = None) -> Any:
        """The usage by `day`, `agent`, `model` or `key`, or several with commas."""
        return self._plain._ask("GET", "/api/usage", groupBy=group_by)

    def approve(self, run_id: str, call: Mapping[str, Any], **decision: Any) -> Any:
        """See `Runs.approve`."""
        return self.runs.approve(run_id, call, **decision)

    def answer(self, run_id: str, question_id: str, text: str) -> Any:
        """See `Runs.answer`."""
        return self.runs.answer(run_id, question_id, text)

    def decline(self, run_id: str, question_id: str) -> Any:
        """See `Runs.decline`."""
        return self.runs.decline(run_id, question_id)

    def cancel(self, run_id: str) -> Any:
        """See `Runs.cancel`."""
        return self.runs.cancel(run_id)


def _at(kind: str, name: str) -> str:
    return f"/api/{kind}/{quote(name, safe='')}"
