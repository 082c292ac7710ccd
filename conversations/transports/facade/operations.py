"""Every operation of other people's protocols: its addresses and its description come from here."""

from functools import partial

from conversations.transports.facade import ag_ui, ai_sdk, completions, mcp, models, responses
from conversations.transports.facade.responses import DEFAULT_ITEMS, MAX_ITEMS
from conversations.transports.rest.operations import FAILED, REFUSED
from conversations.transports.rest.parameters import AGENT
from wire.description.openapi import Events, Operation, Parameter
from wire.facade.ag_ui import RunAgentInput
from wire.facade.ai_sdk import UiChatRequest
from wire.facade.completions import ChatCompletion, CompletionRequest
from wire.facade.errors import OpenAIErrorEnvelope
from wire.facade.mcp import McpAnswer, McpRequest
from wire.facade.models import Model, ModelList
from wire.facade.responses.objects import DeletedResponse, InputItems, Response
from wire.facade.responses.request import ResponseRequest
from wire.objects.conversations import CancelledRuns

_operation = partial(Operation, prefix="/v1/", envelope=OpenAIErrorEnvelope)


FOUND = ("run_not_found", "history_expired", "too_many_connections")
ITEMS = (
    Parameter(
        name="limit",
        schema={"type": "integer", "minimum": 1, "maximum": MAX_ITEMS, "default": DEFAULT_ITEMS},
        description="At most so many.",
    ),
    Parameter(
        name="after",
        schema={"type": "string", "minLength": 1},
        description="The `last_id` of the page before.",
    ),
    Parameter(name="order", schema={"enum": ["desc"]}, description="The newest come first."),
)


class Chunks(Events):
    """The stream of Chat Completions."""

    said = "Each event's `data` is a chunk of OpenAI's, or an error, the last one `[DONE]`."


class ResponseStream(Events):
    """The stream of Responses."""

    said = "Each event's `data` is an event of OpenAI's Responses."


class AgUiRun(Events):
    """The stream of AG-UI."""

    said = "Each event's `data` is an event of AG-UI."


class McpStream(Events):
    """The stream of a call of MCP."""

    said = "Each event's `data` is a message of JSON-RPC: progress, and then the result."


class UiChunks(Events):
    """The stream of the AI SDK."""

    said = "Each event's `data` is a chunk of a UI message stream, the last one `[DONE]`."


ASK = (
    _operation(
        "POST",
        "chat/completions",
        completions.complete,
        name="createChatCompletion",
        summary="Ask with OpenAI's Chat Completions",
        scope="chat",
        body=CompletionRequest,
        answers={200: (ChatCompletion, Chunks)},
        errors=(
            *(*REFUSED, *FAILED, "history_expired", "too_many_connections"),
            *("cancelled", "decision_required"),
        ),
    ),
    _operation(
        "POST",
        "responses",
        responses.create,
        name="createResponse",
        summary="Ask with OpenAI's Responses",
        scope="chat",
        body=ResponseRequest,
        answers={200: (Response, ResponseStream)},
        errors=(*REFUSED, *FAILED, "history_expired", "too_many_connections"),
    ),
)
"""Those that find the agent in the body."""

MANAGE = (
    _operation(
        "GET",
        "models",
        models.index,
        name="listModels",
        summary="The agents that you may ask, as OpenAI's models",
        scope="chat",
        answers={200: (ModelList,)},
    ),
    _operation(
        "GET",
        "models/<agent_id>",
        models.show,
        name="getModel",
        summary="One of them",
        scope="chat",
        answers={200: (Model,)},
    ),
    _operation(
        "GET",
        "responses/<response_id>",
        responses.show,
        name="getResponse",
        summary="A response as it stands, or its events",
        scope="chat",
        parameters=(
            Parameter(name="stream", schema={"type": "boolean"}, description="Its events."),
            Parameter(
                name="starting_after",
                schema={"type": "integer", "minimum": 0},
                description="Only the events behind this `sequence_number`.",
            ),
        ),
        answers={200: (Response, ResponseStream)},
        errors=FOUND,
    ),
    _operation(
        "DELETE",
        "responses/<response_id>",
        responses.hide,
        name="deleteResponse",
        summary="Show it no more; its conversation stays",
        scope="chat",
        answers={200: (DeletedResponse,)},
        errors=("run_not_found",),
    ),
    _operation(
        "POST",
        "responses/<response_id>/cancel",
        responses.cancel,
        name="cancelResponse",
        summary="Stop it, and get it as it ends",
        scope="chat",
        answers={200: (Response,)},
        errors=("run_not_found",),
    ),
    _operation(
        "GET",
        "responses/<response_id>/input_items",
        responses.input_items,
        name="listInputItems",
        summary="What the agent was given for it, the newest first",
        scope="chat",
        parameters=ITEMS,
        answers={200: (InputItems,)},
        errors=("run_not_found", "message_not_found"),
    ),
)
"""All others."""

API_ASK = (
    Operation(
        "POST",
        "ai-sdk/chat",
        ai_sdk.chat,
        name="chatOfAiSdk",
        summary="Ask from a chat of the AI SDK",
        scope="chat",
        body=UiChatRequest,
        answers={200: (UiChunks,)},
        errors=(*REFUSED, "history_expired", "too_many_connections"),
    ),
    Operation(
        "POST",
        "ag-ui",
        ag_ui.run,
        name="runOfAgUi",
        summary="Run an agent from a client of AG-UI",
        scope="chat",
        body=RunAgentInput,
        parameters=(AGENT,),
        answers={200: (AgUiRun,)},
        errors=(
            *(*REFUSED, "history_expired", "too_many_connections", "conversation_not_found"),
            *("run_not_found", "already_decided", "approval_not_found", "digest_mismatch"),
            "question_not_found",
        ),
    ),
)
"""Those below `/api/` that find the agent in the body."""

API_MANAGE = (
    Operation(
        "GET",
        "ai-sdk/chat/<conversation_id>/stream",
        ai_sdk.resume,
        name="resumeChatOfAiSdk",
        summary="The answer that is being made in a chat of the AI SDK, from its beginning",
        scope="chat",
        answers={200: (UiChunks,), 204: ()},
        errors=("too_many_connections",),
    ),
    Operation(
        "POST",
        "ai-sdk/chat/<conversation_id>/stop",
        ai_sdk.stop,
        name="stopChatOfAiSdk",
        summary="Stop everything in a chat of the AI SDK",
        scope="chat",
        answers={200: (CancelledRuns,)},
    ),
)
"""All others below `/api/`."""

ROOT_ASK = (
    Operation(
        "POST",
        "mcp",
        mcp.serve,
        name="messageOfMcp",
        summary="Agents as tools of an MCP server",
        scope="chat",
        body=McpRequest,
        answers={200: (McpAnswer, McpStream), 202: ()},
        prefix="/",
        envelope=McpAnswer,
        code_at=("error", "data", "code"),
    ),
)
"""Those below no prefix."""
