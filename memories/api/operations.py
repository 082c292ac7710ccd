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
    Operation(
        "GET",
        "memories",
        views.own,
        name="listOwnMemories",
        summary="What the agent remembers of the visitor who asks, the newest first",
        scope="chat",
        parameters=PAGE,
        answers={200: (MemoryPage,)},
    ),
    Operation(
        "DELETE",
        "memories",
        views.forget_all,
        name="forgetOwnMemories",
        summary="Forget all that the agent remembers of the visitor who asks",
        scope="chat",
        answers={204: ()},
    ),
    Operation(
        "DELETE",
        "memories/<memory_id>",
        views.forget,
        name="forgetOwnMemory",
        summary="Forget one memory of the visitor who asks",
        scope="chat",
        answers={204: ()},
    ),
)
