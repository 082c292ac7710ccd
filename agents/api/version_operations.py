"""The operations on the versions of an agent and on its draft."""

from agents.api import drafts, versions
from agents.api.operations import IF_MATCH, IF_NONE_MATCH
from core.http import PAGE
from wire.description.openapi import Operation, Parameter
from wire.objects.configuration import Configuration
from wire.objects.versions import (
    AgentVersion,
    AgentVersionPage,
    Difference,
    Draft,
    NewVersion,
    Publication,
    Rollback,
)

AGAINST = Parameter(
    name="against",
    schema={"type": "string", "pattern": "^([0-9]{1,9}|draft)$"},
    description="The other version, or `draft`; absent: the one that is published.",
)

OPERATIONS = (
    Operation(
        "GET",
        "agents/<agent_id>/versions",
        versions.index,
        name="listAgentVersions",
        summary="The versions of an agent, the newest first",
        scope="agents:read",
        parameters=PAGE,
        answers={200: (AgentVersionPage,)},
    ),
    Operation(
        "POST",
        "agents/<agent_id>/versions",
        versions.create,
        name="createAgentVersion",
        summary="Keep the draft, with what the body changes, as a version",
        scope="agents:write",
        body=NewVersion,
        body_required=False,
        answers={201: (AgentVersion,)},
    ),
    Operation(
        "GET",
        "agents/<agent_id>/versions/<version>",
        versions.show,
        name="getAgentVersion",
        summary="One version, with its configuration",
        scope="agents:read",
        answers={200: (AgentVersion,)},
    ),
    Operation(
        "GET",
        "agents/<agent_id>/versions/<version>/diff",
        versions.difference,
        name="compareAgentVersions",
        summary="What is different in a version, or in the `draft`",
        scope="agents:read",
        parameters=(AGAINST,),
        answers={200: (Difference,)},
    ),
    Operation(
        "POST",
        "agents/<agent_id>/publish",
        versions.publish,
        name="publishAgent",
        summary="Answer with a version from now on, or with the draft as a new one",
        scope="agents:write",
        body=Publication,
        body_required=False,
        parameters=(IF_MATCH,),
        answers={200: (AgentVersion,)},
        errors=("precondition_failed",),
    ),
    Operation(
        "POST",
        "agents/<agent_id>/rollback",
        versions.rollback,
        name="rollBackAgent",
        summary="Publish an earlier version again",
        scope="agents:write",
        body=Rollback,
        answers={200: (AgentVersion,)},
    ),
    Operation(
        "GET",
        "agents/<agent_id>/draft",
        drafts.show,
        name="getAgentDraft",
        summary="The configuration that the next version will have",
        scope="agents:read",
        parameters=(IF_NONE_MATCH,),
        answers={200: (Draft,), 304: ()},
    ),
    Operation(
        "PATCH",
        "agents/<agent_id>/draft",
        drafts.change,
        name="changeAgentDraft",
        summary="Change the fields of the draft that the body has",
        scope="agents:write",
        body=Configuration,
        body_required=False,
        parameters=(IF_MATCH,),
        answers={200: (Draft,)},
        errors=("precondition_failed",),
    ),
    Operation(
        "DELETE",
        "agents/<agent_id>/draft",
        drafts.discard,
        name="discardAgentDraft",
        summary="Forget what is not published",
        scope="agents:write",
        parameters=(IF_MATCH,),
        answers={204: ()},
        errors=("precondition_failed",),
    ),
)
