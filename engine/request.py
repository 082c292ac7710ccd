"""What a run is asked to do: resolved once at acceptance, independent of any provider."""

from typing import Any, Literal

import msgspec

from engine.usage import estimate_tokens

GO_ON = (
    "Your answer was cut off by a technical fault, exactly after the text above. Go on from there: "
    "do not repeat any of it, do not mention the interruption, and begin with the next word."
)


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the conversation. `blocks` are the provider's own blocks of an assistant's
    turn, where its text alone is not enough (thinking signatures, tool calls)."""

    role: Literal["user", "assistant"]
    content: str
    blocks: list[dict[str, Any]] = []


class ToolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as the model sees it; `input_schema` is JSON Schema."""

    name: str
    description: str
    input_schema: dict[str, Any]


class ModelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One model call. `parameters` go to the provider as they are (checked by it).

    `thinking` asks the model to reason before it answers."""

    model: str
    instructions: str
    turns: list[Turn]
    max_tokens: int = 4096
    thinking: bool = False
    parameters: dict[str, Any] = {}
    tools: list[ToolSpec] = []


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What bounds the model calls of one run."""

    idle_timeout: float = 60.0
    """Longest wait between two provider events that carry progress (a `ping` does not)."""
    model_calls: int = 10


def estimate_prompt(request: ModelRequest) -> int:
    """Tokens of everything that a request sends, estimated."""
    return (
        estimate_tokens(len(request.instructions))
        + sum(map(_tokens, request.turns))
        + (estimate_tokens(len(msgspec.json.encode(request.tools))) if request.tools else 0)
    )


def goes_on(request: ModelRequest, said: str) -> ModelRequest:
    """The request that continues an answer which was cut after `said`; the same one if nothing was
    said. Not by prefilling the assistant's turn, which many models refuse, but by asking."""
    if not said:
        return request
    cut = [Turn(role="assistant", content=said), Turn(role="user", content=GO_ON)]
    return msgspec.structs.replace(request, turns=[*request.turns, *cut])


def fit(turns: list[Turn], budget: int) -> list[Turn]:
    """The newest turns that fit `budget` tokens (estimated), always with the last one.

    Empty turns are skipped and neighbours of one role joined, since providers refuse both; the
    first turn is the user's."""
    kept: list[Turn] = []
    left = budget
    for turn in reversed([turn for turn in turns if turn.content or turn.blocks]):
        left -= _tokens(turn)
        if left < 0 and kept:
            break
        kept.append(turn)
    while len(kept) > 1 and kept[-1].role == "assistant":
        kept.pop()
    joined: list[Turn] = []
    for turn in reversed(kept):
        if joined and joined[-1].role == turn.role and not (turn.blocks or joined[-1].blocks):
            before = joined.pop()
            turn = Turn(role=turn.role, content=f"{before.content}\n\n{turn.content}")
        joined.append(turn)
    return joined


def _tokens(turn: Turn) -> int:
    blocks = estimate_tokens(len(msgspec.json.encode(turn.blocks))) if turn.blocks else 0
    return estimate_tokens(len(turn.content)) + blocks
