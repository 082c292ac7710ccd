"""What each protocol says of each fixture, byte for byte.

`python -m tests.wire.encoders.golden` writes the files anew: look at the difference, since clients
of other people read these bytes."""

from pathlib import Path

from tests import fixtures
from tests.wire.contract import RUN, batch_of
from wire.encoder import Encoder
from wire.encoders.ag_ui import AgUiEvents
from wire.encoders.ai_sdk import UiMessageChunks
from wire.encoders.completions import CompletionChunks
from wire.encoders.mcp import McpCall
from wire.encoders.responses import ResponseEvents
from wire.facade.responses.objects import Response
from wire.selection import Selection
from wire.visibility import EVERYTHING

FOLDER = Path(__file__).parent
PROTOCOLS = ("completions", "responses", "ai-sdk", "ag-ui", "mcp")
CREATED = 1767225600
RESPONSE = Response(id="resp_1", created_at=CREATED, status="in_progress", model="helper")


def encoder(protocol: str) -> Encoder:
    """A new encoder of this protocol, with everything that it can say."""
    selection = Selection(EVERYTHING)
    if protocol == "responses":
        return ResponseEvents(selection, RUN, response=RESPONSE)
    if protocol == "ai-sdk":
        return UiMessageChunks(selection, RUN, message_id="msg_1", conversation_id="conv_1")
    if protocol == "ag-ui":
        names = {"thread_id": "thread-1", "name": "run-1", "message_id": "msg_1"}
        return AgUiEvents(selection, RUN, **names)
    if protocol == "mcp":
        return McpCall(selection, RUN, id=7, token="t", conversation_id="conv_1")
    return CompletionChunks(selection, RUN, model="helper", created=CREATED, with_usage=True)


def said(protocol: str, name: str) -> bytes:
    """Everything that it says of a fixture."""
    one = encoder(protocol)
    return b"".join([*one.opening(), *one.events(batch_of(name)), *one.close()])


def path(protocol: str, name: str) -> Path:
    """The file that holds it."""
    return FOLDER / f"{protocol}-{name}.txt"


def write() -> None:
    """Write all files anew."""
    for protocol in PROTOCOLS:
        for name in fixtures.NAMES:
            path(protocol, name).write_bytes(said(protocol, name))
