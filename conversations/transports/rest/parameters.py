"""The parameters of the operations: values of the query string and of headers."""

from conversations.transports.sse.encoding import FORMATS
from wire.description.openapi import Parameter
from wire.feed import TYPES

TEXT = {"type": "string", "minLength": 1}
FLAG, NUMBER = {"type": "boolean"}, {"type": "integer", "minimum": 0}
DAY = {"type": "string", "format": "date"}
AGENT = Parameter(
    name="agentId", schema=TEXT, description="Which agent, where the key opens several."
)
MERGE = Parameter(
    name="merge",
    schema=FLAG,
    description="Neighbouring tokens that are there together come as one.",
)
FORMAT = Parameter(
    name="format",
    schema={"enum": [*FORMATS]},
    description="A simple dialect of the stream: see docs/simple.md.",
)
BATCH = Parameter(
    name="batch",
    schema={"type": "string", "pattern": "^[0-9]{1,4}(ms)?$"},
    description="Tokens join: so many (`10`), or those of a time (`50ms`).",
)
DELTAS = Parameter(name="deltas", schema=FLAG, description="Also the raw fragments of tool calls.")
SHAPE = (MERGE, DELTAS, FORMAT, BATCH)
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
WATCHING = (
    Parameter(name="agentIds", schema=TEXT, description="Only these agents: ids, between commas."),
    Parameter(
        name="eventTypes", schema=TEXT, description=f"Only these: {', '.join(sorted(TYPES))}."
    ),
)
FEED_POSITION = Parameter(
    name="Last-Event-ID",
    schema={"type": "string"},
    description="Goes on after that event; one that is no longer known gets `reset` and the state.",
    place="header",
)
ASKING = (
    Parameter(name="message", schema=TEXT, description="What the user says."),
    Parameter(name="conversationId", schema=TEXT, description="Go on with this conversation."),
    Parameter(name="clientMessageId", schema=TEXT, description="Your name for this message."),
    Parameter(name="runId", schema=TEXT, description="Without a message: follow this run."),
)
