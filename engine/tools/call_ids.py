"""Ids of tool calls, unique in a run and in what a model is sent."""

import re
from collections.abc import Iterable
from typing import Any

from engine.ids import new_id

USABLE = re.compile(r"[A-Za-z0-9._:-]{1,128}")
"""The ids that fit the database and an address."""


class CallIds:
    """Gives each call of a run an id of its own.

    A model server's ids are unique in one model call only: some servers count from 0 in each. A
    result is found by its id, and a server refuses a conversation in which one id stands for two
    calls."""

    __slots__ = ("_known", "_own", "_taken")

    def __init__(self, taken: Iterable[str] = (), *, own: bool = False) -> None:
        """`taken` are ids of calls of an earlier attempt, or an earlier run of the conversation.
        `own`: none of the given ids is used, since other runs show these calls too."""
        self._taken, self._own = set(taken), own
        self._known: dict[str, str] = {}

    def begin(self) -> None:
        """Begin another model call: its ids mean other calls than the same ids did before."""
        self._known = {}

    def unique(self, given: str) -> str:
        """The id of the call that its server calls `given`; the same each time in one model
        call."""
        if given not in self._known:
            usable = not self._own and given not in self._taken and USABLE.fullmatch(given)
            found = self._known[given] = given if usable else new_id("call")
            self._taken.add(found)
        return self._known[given]

    def renamed(self, blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The blocks of the model call, with these ids."""
        return [
            {**block, "id": self.unique(block["id"])} if block.get("type") == "tool_use" else block
            for block in blocks
        ]
