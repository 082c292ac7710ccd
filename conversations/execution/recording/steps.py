"""The provider's own blocks of an answer, kept for later prompts of its conversation.

They hold the model's tool calls, their results and its thinking. Only the model server that made
them takes them back, so any other server is sent the text of the answer instead.
"""

import hashlib
import logging
from typing import Any

import msgspec
from django.conf import settings

from conversations.execution.claim import agent_of
from conversations.execution.recording.storable import plain
from conversations.models import Run
from engine.continuation import turns_of
from engine.request import Turn
from engine.tools.results import bounded
from engine.transcript import Transcript

log = logging.getLogger(__name__)

MAX_STEPS_BYTES = 256 * 1024
"""Bytes of the steps of one answer, as JSON: more than the context of most agents. A longer one
keeps only its text."""


class Steps(msgspec.Struct, frozen=True):
    """The turns of one answer, and the digest of the agent that gave it."""

    of: str
    turns: list[Turn]


_decode = msgspec.json.Decoder(Steps).decode


def pack(run: Run, transcript: Transcript) -> Any:
    """The value of `Message.steps` for an answer: `[]` if its text says it all."""
    turns = turns_of(transcript)
    if not any(turn.blocks for turn in turns):
        return []
    return _packed(run, turns)


def _packed(run: Run, turns: list[Turn]) -> Any:
    steps = plain(msgspec.to_builtins(Steps(_digest(run), turns)))
    return steps if len(msgspec.json.encode(steps)) <= MAX_STEPS_BYTES else []


def _bounded(block: dict[str, Any]) -> dict[str, Any]:
    """The block; a result that is longer than results may be is cut."""
    if block["type"] != "tool_result":
        return block
    return block | {"content": bounded(block["content"], settings.CLAW_TOOL_RESULT_BYTES)}


def pack_turn(run: Run, turn: Turn) -> Any:
    """The value of `Message.steps` for a turn of the caller's own history: `[]` without blocks."""
    if not turn.blocks:
        return []
    blocks = [_bounded(block) for block in turn.blocks]
    return _packed(run, [msgspec.structs.replace(turn, blocks=blocks)])


def unpack(stored: str, run: Run) -> list[Turn]:
    """The turns of a stored answer if `run` can send them, else none.

    `stored` is JSON. A form that another version has stored counts as nothing."""
    if not stored.startswith("{"):
        return []
    try:
        steps = _decode(stored)
    except msgspec.ValidationError:  # no stored answer may break its conversation for ever
        log.warning("the steps of an answer of %s cannot be read", run.conversation_id)
        return []
    return steps.turns if steps.of == _digest(run) else []


def _digest(run: Run) -> str:
    """A digest that differs between agents that may not send each other's blocks: another model
    server or model, other tools, another way to think."""
    agent = agent_of(run)
    parts = [run.provider, run.model, agent.base_url, agent.thinking, agent.tools]
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:16]
