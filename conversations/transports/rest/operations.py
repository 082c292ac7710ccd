"""Every operation of the API: its addresses and its description come from here."""

from agents.api.operations import IF_MATCH
from agents.api.operations import OPERATIONS as OF_AGENTS
from agents.api.organization.operations import OPERATIONS as OF_ORGANIZATION
from agents.api.tool_operations import OPERATIONS as OF_TOOLS
from agents.api.version_operations import OPERATIONS as OF_VERSIONS
from approvals.api.operations import OPERATIONS as OF_STANDING_APPROVALS
from conversations.access import READING
from conversations.transports.rest import api, conversation_route, tickets
from conversations.transports.rest.archive import OPERATIONS as OF_ARCHIVE
from conversations.transports.rest.decisions import OPERATIONS as OF_DECISIONS
from conversations.transports.rest.monitoring.alerts import OPERATIONS as OF_ALERTS
from conversations.transports.rest.monitoring.webhooks import OPERATIONS as OF_WEBHOOKS
from conversations.transports.rest.opinions import OPERATIONS as OF_OPINIONS
from conversations.transports.rest.organization import OPERATIONS as OF_ITS_END
from conversations.transports.rest.parameters import (
    AGENT,
    ASKING,
    DELTAS,
    FEED_POSITION,
    LAST_EVENT_ID,
    LAST_SEQ,
    MERGE,
    SHAPE,
    STREAM,
    TEXT,
    TICKET,
    WATCHING,
)
from conversations.transports.rest.replay import OPERATIONS as OF_REPLAY
from conversations.transports.rest.usage.budgets import OPERATIONS as OF_BUDGETS
from conversations.transports.rest.usage.report import OPERATIONS as OF_USAGE
from conversations.transports.rest.visitors import sessions
from conversations.transports.rest.visitors.contact import OPERATIONS as OF_CONTACT
from conversations.transports.rest.visitors.transcripts import OPERATIONS as OF_TRANSCRIPTS
from conversations.transports.sse import command_center
from conversations.transports.sse import views as sse
from core.http import PAGE
from files.api.operations import OPERATIONS as OF_FILES
from knowledge.api.operations import OPERATIONS as OF_DOCUMENTS
from memories.api.operations import OPERATIONS as OF_MEMORIES
from wire.description.openapi import Events, Operation, Parameter
from wire.feed import CommandCenterState, RecentMinutes
from wire.native import ChatRequest, ContentRequest
from wire.objects.conversations import (
    CancelledRun,
    CancelledRuns,
    ChatAnswer,
    Conversation,
    ConversationFields,
    MessagePage,
    Run,
    WaitingRun,
)
from wire.objects.tickets import NewTicket, Ticket
from wire.objects.visitors import AgentGreeting, NewVisitorSession, VisitorSession

REFUSED = (
    *(
        "agent_archived",
        "budget_exceeded",
        "conversation_busy",
        "idempotency_conflict",
        "message_not_found",
    ),
    *("file_not_found", "upstream_error"),
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
        answers={200: (ChatAnswer,), 202: (WaitingRun,)},
        errors=(*REFUSED, *FAILED, "too_many_connections"),
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
        parameters=(LAST_EVENT_ID, *ASKING, AGENT, LAST_SEQ, *SHAPE),
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
        parameters=(LAST_EVENT_ID, *ASKING, TICKET, AGENT, LAST_SEQ, *SHAPE),
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
        instead=("monitor:read",),
        body=NewTicket,
        answers={201: (Ticket,)},
        errors=("run_not_found", "conversation_not_found"),
        session=False,
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
        answers={200: (ChatAnswer, Events), 202: (WaitingRun,)},
        errors=("conversation_not_found", *REFUSED, *FAILED, *FOLLOWING),
    ),
    Operation(
        "GET",
        "command-center/stream",
        tickets.watch_stream,
        name="streamCommandCenter",
        summary="The same, and then what happens",
        scope="monitor:read",
        parameters=(*WATCHING, TICKET, FEED_POSITION),
        answers={200: (Events,)},
        errors=("too_many_connections",),
    ),
    Operation(
        "GET",
        "greeting",
        sessions.greet,
        name="getGreeting",
        summary="The agent as it greets visitors of a web page that it allows",
        parameters=(AGENT,),
        answers={200: (AgentGreeting,)},
        errors=("forbidden", "agent_not_found", "invalid_message"),
    ),
    Operation(
        "POST",
        "visitor-sessions",
        sessions.create,
        name="createVisitorSession",
        summary="A token for somebody on a web page that the agent allows",
        body=NewVisitorSession,
        body_required=False,
        answers={201: (VisitorSession,)},
        errors=(
            *("invalid_token", "token_expired", "forbidden", "agent_not_found", "rate_limited"),
            *("invalid_message", "message_too_large", "unsupported_encoding", "unavailable"),
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
        instead=READING,
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
        instead=READING,
        parameters=(LAST_EVENT_ID, LAST_SEQ, *SHAPE, AGENT),
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
        instead=("monitor:write",),
        parameters=(AGENT,),
        answers={202: (CancelledRun,)},
        errors=("run_not_found",),
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
        errors=("conversation_exists",),
    ),
    Operation(
        "GET",
        "conversations/<conversation_id>/transcript",
        api.transcript,
        name="readTranscript",
        summary="Any conversation of the organisation, a visitor's too; by its own id",
        scope="admin",
        parameters=(
            *PAGE,
            Parameter(name="after", schema=TEXT, description="The messages after this one."),
        ),
        answers={200: (MessagePage,)},
        errors=("conversation_not_found", "message_not_found"),
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
    *OF_OPINIONS,
    *OF_REPLAY,
    Operation(
        "GET",
        "messages/<message_id>/versions",
        api.versions,
        name="listVersions",
        summary="The versions of a user's message, each with its answer, oldest first",
        scope="conversations:read",
        parameters=(*PAGE, AGENT),
        answers={200: (MessagePage,)},
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
    *OF_ARCHIVE,
    *OF_DECISIONS,
    *OF_STANDING_APPROVALS,
    *OF_AGENTS,
    *OF_DOCUMENTS,
    *OF_FILES,
    *OF_TOOLS,
    *OF_VERSIONS,
    *OF_MEMORIES,
    *OF_ORGANIZATION,
    *OF_ITS_END,
    Operation(
        "DELETE",
        "agents/<agent_id>/visitors/<visitor_id>",
        api.erase_visitor,
        name="deleteVisitor",
        summary="Erase all that a visitor has said to the agent, and what it remembers of them",
        scope="agents:write",
        answers={204: ()},
    ),
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
        "command-center/state",
        command_center.state,
        name="readCommandCenter",
        summary="Everything that is under way in the organisation",
        scope="monitor:read",
        parameters=WATCHING,
        answers={200: (CommandCenterState,)},
    ),
    Operation(
        "GET",
        "command-center/minutes",
        command_center.minutes,
        name="readRecentMinutes",
        summary="The last hour, minute by minute",
        scope="monitor:read",
        parameters=WATCHING[:1],
        answers={200: (RecentMinutes,)},
    ),
    *OF_USAGE,
    *OF_BUDGETS,
    *OF_WEBHOOKS,
    *OF_ALERTS,
    *OF_CONTACT,
    *OF_TRANSCRIPTS,
)
"""All others: the caller is known before the view begins."""
