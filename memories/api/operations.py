"""The operations on memories."""

from core.http import PAGE
from memories.api import views
from memories.api.objects import MemoryPage
from wire.description.openapi import Operation, Parameter

VISITOR = Parameter(
    name="visitor",
    schema={"type": "string", "minLength": 1},
    description="The visitor's id: `anon:...` or `user:...`. It must be there.",
)

OPERATIONS = (
    Operation(
        "GET",
        "agents/<agent_id>/memories",
        views.index,
        name="listMemories",
        summary="What the agent remembers of a visitor, the newest first",
        scope="agents:read",
        parameters=(VISITOR, *PAGE),
        answers={200: (MemoryPage,)},
    ),
    Operation(
        "DELETE",
        "agents/<agent_id>/memories",
        views.clear,
        name="deleteMemories",
        summary="Delete all that the agent remembers of a visitor",
        scope="agents:write",
        parameters=(VISITOR,),
        answers={204: ()},
    ),
    Operation(
        "DELETE",
        "agents/<agent_id>/memories/<memory_id>",
        views.delete,
        name="deleteMemory",
        summary="Delete one memory",
        scope="agents:write",
        answers={204: ()},
    ),
)
