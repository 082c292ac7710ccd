"""Mends the turns of a request so that model servers take them.

A stored conversation may hold a blank answer, or a call that was cut before its result. A server
that refuses such a turn would refuse every later question of the conversation too.
"""

import itertools
from collections.abc import Callable
from typing import Any

import msgspec

from engine.request import Turn
from engine.text import is_blank

Block = dict[str, Any]
NEVER_LAST = frozenset({"thinking", "redacted_thinking"})


def sound(turns: list[Turn]) -> list[Turn]:
    """The same conversation by the rules of all servers: no blank turn or text, each tool call with
    its result in the next turn and each result with its call, results before text, no id twice, the
    user first, and no two turns of one role beside each other. The last turn is kept as it is if
    nothing else is left."""
    seen = [turn for turn in map(_visible, turns) if turn is not None]
    return _joined(_distinct(_pair(_joined(seen, _brings_results)))) or turns[-1:]


def _joined(turns: list[Turn], wanted: Callable[[Turn], bool] = bool) -> list[Turn]:
    """The same turns, with those wanted ones as one that are of one role and follow one another."""
    joined: list[Turn] = []
    for turn in turns:
        if joined and joined[-1].role == turn.role and wanted(joined[-1]) and wanted(turn):
            turn = _join(joined.pop(), turn)
        joined.append(turn)
    return joined


def _brings_results(turn: Turn) -> bool:
    """Whether the turn has results: those of one step may come in two turns."""
    return any(block.get("type") == "tool_result" for block in turn.blocks)


def _visible(turn: Turn) -> Turn | None:
    """The turn without blank texts, or None for a blank one."""
    if turn.blocks:
        blocks = [b for b in turn.blocks if b.get("type") != "text" or not is_blank(b["text"])]
        whole = len(blocks) == len(turn.blocks) and blocks[-1].get("type") not in NEVER_LAST
        return turn if whole else _with(turn, blocks)
    return None if is_blank(turn.content) else turn


def _pair(turns: list[Turn]) -> list[Turn]:
    """The turns from the user's first on, with only those calls that have a result in the next turn
    and only the results of such calls."""
    kept: list[Turn] = []
    for turn, after in zip(turns, [*turns[1:], None], strict=False):
        if turn.role == "assistant":
            found = _without(turn, "tool_use", "id", _ids(after, "tool_result", "tool_use_id"))
            found = found if kept else None
        else:
            calls = _ids(kept[-1] if kept else None, "tool_use", "id")
            found = _without(turn, "tool_result", "tool_use_id", calls)
        if found is not None:
            kept.append(found)
    return kept


def _distinct(turns: list[Turn]) -> list[Turn]:
    """The same turns. A call whose id an earlier turn has too gets another id, with its result.
    Results come before everything else of their turn."""
    taken: set[str] = set()
    renamed: dict[str, str] = {}
    found = []
    for turn in turns:
        if not turn.blocks:
            found.append(turn)
            continue
        if turn.role == "assistant":
            ids = _ids(turn, "tool_use", "id")
            renamed = {id: _free(id, taken | ids) for id in sorted(ids & taken)}
            taken |= ids | set(renamed.values())
            blocks = [_renamed(block, "tool_use", "id", renamed) for block in turn.blocks]
        else:
            blocks = [_renamed(b, "tool_result", "tool_use_id", renamed) for b in turn.blocks]
            blocks.sort(key=lambda block: block.get("type") != "tool_result")
        found.append(msgspec.structs.replace(turn, blocks=blocks))
    return found


def _free(id: str, taken: set[str]) -> str:
    return next(new for n in itertools.count(2) if (new := f"{id}_{n}") not in taken)


def _renamed(block: Block, kind: str, field: str, names: dict[str, str]) -> Block:
    if block.get("type") != kind or block[field] not in names:
        return block
    return {**block, field: names[block[field]]}


def _ids(turn: Turn | None, kind: str, field: str) -> set[str]:
    return {block[field] for block in turn.blocks if block.get("type") == kind} if turn else set()


def _without(turn: Turn, kind: str, field: str, known: set[str]) -> Turn | None:
    """The turn with only those blocks of one kind whose id is `known`, each once."""
    left = set(known)
    blocks = []
    for block in turn.blocks:
        if block.get("type") == kind:
            if block[field] not in left:
                continue
            left.discard(block[field])
        blocks.append(block)
    return turn if len(blocks) == len(turn.blocks) else _with(turn, blocks)


def _with(turn: Turn, blocks: list[Block]) -> Turn | None:
    """The turn with these blocks, without thinking at its end; None if nothing is left."""
    while blocks and blocks[-1].get("type") in NEVER_LAST:
        blocks = blocks[:-1]
    if blocks:
        return msgspec.structs.replace(turn, blocks=blocks)
    return None if is_blank(turn.content) else msgspec.structs.replace(turn, blocks=[])


def _join(before: Turn, turn: Turn) -> Turn:
    if not before.blocks and not turn.blocks:
        return Turn(role=turn.role, content=f"{before.content}\n\n{turn.content}")
    return Turn(role=turn.role, content="", blocks=[*_blocks(before), *_blocks(turn)])


def _blocks(turn: Turn) -> list[Block]:
    return turn.blocks or [{"type": "text", "text": turn.content}]
