"""Every operation of the API: its addresses and its description come from here."""

from accounts.http import PAGE
from agents.api.operations import IF_MATCH
from agents.api.operations import OPERATIONS as OF_AGENTS
from conversations.transports import api, conversation_route, sse, tickets, usage, visitors
from conversations.usage import GROUPS
from wire.management import UsageReport
from wire.native import ChatRequest, ContentRequest
from wire.objects import (
    CancelledRun,
    CancelledRuns,
    ChatAnswer,
    Conversation,
    ConversationFields,
    ConversationPage,
    Feedback,
    Message,
    MessagePage,
    Run,
)
from wire.openapi import Events, Operation, Parameter
from wire.tickets import NewTicket, Ticket
from wire.visitors import NewVisitorSession, VisitorSession

TEXT, FLAG, NUMBER = {"type": "string"}, {"type": "boolean"}, {"type": "integer", "minimum": 0}
DAY = {"type": "string", "format": "date"}
AGENT = Parameter(
    name="agentId", schema=TEXT, description="Which agent, where the key opens several."
)
MERGE = Parameter(
    name="merge",
    schema=FLAG,
    description="Neighbouring tokens that are there together come as one.",
)
DELTAS = Parameter(name="deltas", schema=FLAG, description="Also the raw fragments of tool calls.")
TICKET = Parameter(
    name="ticket", schema=TEXT, description="Instead of a token and all else: see `stream-tickets`."
)
STREAM = Parameter(name="stream", schema=FLAG, description="Answer with an event stream.")
LAST_SEQ = Parameter(name="lastSeq", schema=NUMBER, description="Only the events after this one.")
LAST_EVENT_ID = Parameter(
    name="Last-Event-ID",
    schema={"type": "string", "pattern": "^run_[0-9A-Za-z]{1,40}:[0-9]{1,15}$"},
    description="`<runId>:<seq>`: starts nothing, and goes on after that event.",
    place="header",
)
ASKING = (
    Parameter(name="message", schema=TEXT, description="What the user says."),
    Parameter(name="conversationId", schema=TEXT, description="Go on with this conversation."),
    Parameter(name="clientMessageId", schema=TEXT, description="Your name for this message."),
    Parameter(name="runId", schema=TEXT, description="Without a message: follow this run."),
)

REFUSED = (
    *("budget_exceeded", "conversation_busy", "idempotency_conflict", "message_not_found"),
    "upstream_error",
)
FAILED = (
    *("run_not_found", "upstream_error", "upstream_truncated", "upstream_overloaded"),
    *("upstream_timeout", "tool_error", "too_many_steps", "run_interrupted"),
)
FOLLOWING = ("run_not_found", "history_expired", "too_many_connections")

ASK = (
    Operation(
        "POST",
        "chat",
        api.chat,
        name="chat",
        summary="Ask, and get the whole answer when it is done",
        scope="chat",
        body=ChatRequest,
        answers={200: (ChatAnswer,)},
        errors=(*REFUSED, *FAILED),
    ),
    Operation(
        "POST",
        "chat/stream",
        sse.chat_stream,
        name="streamChat",
        summary="Ask, and get the answer as it is made",
        scope="chat",
        body=ChatRequest,
        body_required=False,
        parameters=(LAST_EVENT_ID, *ASKING, AGENT, LAST_SEQ, MERGE, DELTAS),
        answers={200: (Events,), 204: ()},
        errors=(*REFUSED, *FOLLOWING, "conversation_not_found"),
    ),
    Operation(
        "GET",
        "chat/stream",
        tickets.chat_stream,
        name="streamChatOfQuery",
        summary="The same for clients that can only GET; without a message it follows",
        scope="chat",
        parameters=(LAST_EVENT_ID, *ASKING, TICKET, AGENT, LAST_SEQ, MERGE, DELTAS),
        answers={200: (Events,), 204: ()},
        errors=(*REFUSED, *FOLLOWING, "conversation_not_found"),
    ),
    Operation(
        "POST",
        "stream-tickets",
        tickets.create,
        name="createStreamTicket",
        summary="An address that an EventSource can open, for one stream",
        scope="chat",
        body=NewTicket,
        answers={201: (Ticket,)},
        errors=("run_not_found", "conversation_not_found"),
    ),
    Operation(
        "GET",
        "conversations/<conversation_id>/messages",
        conversation_route.messages,
        name="listMessages",
        summary="The history, oldest first; or everything that happens from now on",
        scope="conversations:read",
        parameters=(
            *PAGE,
            Parameter(name="after", schema=TEXT, description="The messages after this one."),
            *(STREAM, MERGE, DELTAS, LAST_EVENT_ID),
        ),
        answers={200: (MessagePage, Events)},
        errors=("conversation_not_found", "message_not_found", *FOLLOWING),
    ),
    Operation(
        "POST",
        "conversations/<conversation_id>/messages",
        conversation_route.ask,
        name="sendMessage",
        summary="Ask in a conversation that exists",
        scope="chat",
        body=ContentRequest,
        parameters=(STREAM, MERGE, DELTAS),
        answers={200: (ChatAnswer, Events)},
        errors=("conversation_not_found", *REFUSED, *FAILED, *FOLLOWING),
    ),
    Operation(
        "POST",
        "visitor-sessions",
        visitors.create,
        name="createVisitorSession",
        summary="A token for somebody on a web page that the agent allows",
        body=NewVisitorSession,
        body_required=False,
        answers={201: (VisitorSession,)},
        errors=(
            *("invalid_token", "token_expired", "forbidden", "agent_not_found", "rate_limited"),
            *("invalid_message", "message_too_large", "unavailable"),
        ),
    ),
)
"""Those that find the agent in the body, or give it a message."""

MANAGE = (
    Operation(
        "POST",
        "runs/cancel",
        api.runs_cancel,
        name="cancelAllRuns",
        summary="Stop everything that the organisation has running or waiting",
        scope="admin",
        answers={202: (CancelledRuns,)},
    ),
    Operation(
        "GET",
        "runs/<run_id>",
        api.run_detail,
        name="getRun",
        summary="A run, while it runs with the text so far",
        scope="chat",
        parameters=(AGENT,),
        answers={200: (Run,)},
        errors=("run_not_found",),
    ),
    Operation(
        "GET",
        "runs/<run_id>/events",
        sse.run_events,
        name="followRun",
        summary="A run's events, from the first or after a position",
        scope="chat",
        parameters=(LAST_EVENT_ID, LAST_SEQ, MERGE, DELTAS, AGENT),
        answers={200: (Events,), 204: ()},
        errors=FOLLOWING,
    ),
    Operation(
        "POST",
        "runs/<run_id>/cancel",
        api.run_cancel,
        name="cancelRun",
        summary="Stop a run; that it has ended is an event",
        scope="chat",
        parameters=(AGENT,),
        answers={202: (CancelledRun,)},
        errors=("run_not_found",),
    ),
    Operation(
        "GET",
        "conversations",
        api.conversations,
        name="listConversations",
        summary="The conversations, the latest first",
        scope="conversations:read",
        parameters=(*PAGE, AGENT),
        answers={200: (ConversationPage,)},
        errors=("conversation_not_found",),
    ),
    Operation(
        "POST",
        "conversations",
        api.create_conversation,
        name="createConversation",
        summary="A new, empty conversation",
        scope="conversations:write",
        body=ConversationFields,
        body_required=False,
        parameters=(AGENT,),
        answers={201: (Conversation,)},
    ),
    Operation(
        "GET",
        "conversations/<conversation_id>",
        api.conversation,
        name="getConversation",
        summary="One conversation",
        scope="conversations:read",
        parameters=(AGENT,),
        answers={200: (Conversation,)},
        errors=("conversation_not_found",),
    ),
    Operation(
        "PATCH",
        "conversations/<conversation_id>",
        api.change_conversation,
        name="changeConversation",
        summary="Give it another title",
        scope="conversations:write",
        body=ConversationFields,
        body_required=False,
        parameters=(AGENT,),
        answers={200: (Conversation,)},
        errors=("conversation_not_found",),
    ),
    Operation(
        "DELETE",
        "conversations/<conversation_id>",
        api.erase_conversation,
        name="deleteConversation",
        summary="Erase it with its messages and runs, and stop what still runs",
        scope="conversations:write",
        parameters=(AGENT,),
        answers={204: ()},
        errors=("conversation_not_found",),
    ),
    Operation(
        "PUT",
        "messages/<message_id>/feedback",
        api.rate,
        name="rateMessage",
        summary="Say what you think of an answer",
        scope="conversations:write",
        body=Feedback,
        parameters=(AGENT,),
        answers={200: (Message,)},
        errors=("message_not_found",),
    ),
    Operation(
        "POST",
        "conversations/<conversation_id>/cancel",
        api.conversation_cancel,
        name="cancelConversation",
        summary="Stop everything that runs or waits in it",
        scope="chat",
        parameters=(AGENT,),
        answers={202: (CancelledRuns,)},
        errors=("conversation_not_found",),
    ),
    *OF_AGENTS,
    Operation(
        "DELETE",
        "agents/<agent_id>",
        api.erase_agent,
        name="deleteAgent",
        summary="Erase an agent with its conversations, and stop what still runs",
        scope="agents:write",
        parameters=(IF_MATCH,),
        answers={204: ()},
        errors=("precondition_failed",),
    ),
    Operation(
        "GET",
        "usage",
        usage.report,
        name="reportUsage",
        summary="What the organisation's runs have used",
        scope="usage:read",
        parameters=(
            Parameter(name="from", schema=DAY, description="The first day (UTC)."),
            Parameter(name="to", schema=DAY, description="The last day; default: today."),
            Parameter(
                name="groupBy",
                schema={"enum": [*GROUPS], "default": "day"},
                description="In which groups.",
            ),
        ),
        answers={200: (UsageReport,)},
    ),
)
"""All others: the caller is known before the view begins."""
