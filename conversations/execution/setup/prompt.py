"""Builds the first model request of a run from its agent and its conversation."""

import json
from typing import Any

import msgspec
from django.db import connection
from msgspec.structs import replace

from conversations.execution.claim import agent_of
from conversations.execution.recording.steps import unpack
from conversations.models import Run
from core.database import database_step
from core.statements import places
from core.tasks.batching import Batcher, at_most
from engine.events import Source
from engine.request import (
    ModelRequest,
    PastMessage,
    ToolSpec,
    Turn,
    estimate_tools,
    fit,
    text_block,
    with_page,
)
from engine.usage import estimate_tokens
from files.accepts import accepted_kinds
from files.attached import Attached, sendable
from knowledge.retrieval import passages

MAX_HISTORY = 400  # messages read for a prompt; the context budget cuts further
MAX_PROMPT_BYTES = 2 * 1024 * 1024
"""Bytes of a conversation in one prompt, which stays in memory while its answer is produced: half a
million tokens of English. The oldest messages are left out first, the question never."""
MAX_TOGETHER = 20  # prompts read in one step: bounds how long the last of them waits

# The newest messages, then of these as many bytes as fit, and only then their texts. A run's own
# question is read also if it has just been replaced.
TURNS = """
SELECT message.conversation_id, message.id, message.role, message.content, message.steps,
       message.context, message.attachments, message.joined_id, sized.found
  FROM (SELECT id, bytes, COUNT(*) OVER () AS found,
               SUM(bytes) OVER (PARTITION BY conversation_id ORDER BY id DESC) AS so_far
          FROM (SELECT id, conversation_id, {bytes} AS bytes FROM conversations_message
                 WHERE conversation_id IN ({runs}) AND id <= %s
                   AND (NOT replaced OR id IN ({runs}))
                 ORDER BY id DESC LIMIT {limit}) latest) sized
  JOIN conversations_message message ON message.id = sized.id
 WHERE sized.so_far <= {most} OR sized.id IN ({runs})
 ORDER BY message.id DESC
"""
BYTES = {
    "sqlite": "LENGTH(CAST(content AS BLOB)) + LENGTH(CAST(steps AS BLOB))"
    " + COALESCE(LENGTH(CAST(context AS BLOB)), 0)",
    "postgresql": "OCTET_LENGTH(content) + OCTET_LENGTH(CAST(steps AS text))"
    " + COALESCE(OCTET_LENGTH(CAST(context AS text)), 0)",
}


_decode = msgspec.json.Decoder(list[Attached]).decode


class Prompts:
    """Builds prompts outside of the claim's transaction; those that are wanted together share one
    read.

    This is the place for everything else that a prompt holds: `build` may await, is cancelled with
    the run, and its time counts against the run's."""

    def __init__(self) -> None:
        self._messages: Batcher[Run, list[PastMessage]] = Batcher(
            lambda runs: database_step(read_messages, runs),
            at_most(MAX_TOGETHER),
            lambda run: run.organization_id,
        )

    async def build(self, run: Run, tools: list[ToolSpec], found: list[Source]) -> ModelRequest:
        """The request that asks the model the run's question, with the passages that were found for
        it. These and the tools take their part of the agent's context. Raises `Unavailable`."""
        messages = await self._messages.do(run)
        request = request_of(run, messages, tools, found)
        return replace(request, turns=await _with_files(run, request.turns))

    async def aclose(self) -> None:
        """Wait until everything that was asked for is read."""
        await self._messages.aclose()


def request_of(
    run: Run, messages: list[PastMessage], tools: list[ToolSpec], found: list[Source]
) -> ModelRequest:
    """The request with these messages, whose files are named only."""
    agent = agent_of(run)
    given = passages(found) if found else ""
    budget = agent.context_tokens - estimate_tools(tools) - estimate_tokens(len(given))
    return ModelRequest(
        model=run.model,
        instructions="\n\n".join(filter(None, (agent.instructions, given))),
        turns=fit(messages, budget),
        max_tokens=agent.max_tokens,
        thinking=agent.thinking,
        parameters=agent.parameters,
        tools=tools,
    )


async def _with_files(run: Run, turns: list[Turn]) -> list[Turn]:
    """The turns with the contents of their files, as far as the run's model takes them."""
    blocks = [block for turn in turns for block in turn.blocks if block.get("type") == "file"]
    if not blocks:
        return turns
    kinds = accepted_kinds(run.provider, run.model)
    found = await database_step(sendable, run.conversation_id, blocks, kinds)
    return [
        replace(turn, blocks=[found.get(block.get("id", ""), block) for block in turn.blocks])
        if any(block.get("type") == "file" for block in turn.blocks)
        else turn
        for turn in turns
    ]


def _asked(role: Any, content: str, attachments: str | None) -> Turn:
    """A message; one of the user's with files has them as blocks, before its text."""
    if attachments in (None, "", "[]"):
        return Turn(role=role, content=content)
    files = [file.block() for file in _decode(attachments or "")]
    return Turn(role=role, content="", blocks=[*files, text_block(content)])


def read_messages(runs: list[Run]) -> list[list[PastMessage]]:
    """The newest messages up to each run's own. No two runs are of one conversation.
    Synchronous."""
    asking = {run.conversation_id: run for run in runs}
    own = [run.user_message_id for run in runs]
    statement = TURNS.format(
        runs=places(len(runs)),
        limit=MAX_HISTORY,
        most=MAX_PROMPT_BYTES,
        bytes=BYTES[connection.vendor],
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [*asking, max(own), *own, *own])
        rows = cursor.fetchall()
    # The limit is for all of them: one conversation may have left too little for another.
    if len(runs) > 1 and rows and rows[0][-1] == MAX_HISTORY:
        return [read_messages([run])[0] for run in runs]
    messages: dict[str, list[PastMessage]] = {run.conversation_id: [] for run in runs}
    by_id: dict[int, PastMessage] = {}
    for conversation, id_, role, content, steps, context, files, joined, _ in reversed(rows):
        run = asking[conversation]
        if id_ > run.user_message_id:
            continue
        text = _asked(role, with_page(content, json.loads(context or "null")), files)
        turns = unpack(steps, run)
        if joined in by_id:
            by_id[joined].joined.append(text)
        else:
            by_id[id_] = PastMessage(text=text, turns=turns)
            messages[conversation].append(by_id[id_])
    return [messages[run.conversation_id] for run in runs]
