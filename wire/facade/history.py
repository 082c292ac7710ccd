"""The history of a foreign protocol in the native one, with calls of the client's tools."""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec

from engine.errors import invalid
from engine.request import Turn, call_block, result_block, text_block
from wire import parse
from wire.facade.files import SentFile
from wire.native import MAX_TURNS, ChatRequest, ChatTurn, ClientTool, check_tools


class Call(msgspec.Struct, frozen=True):
    """A call that an earlier answer has asked for; `arguments` is the JSON of an object."""

    id: str
    name: str
    arguments: str
    field: str

    def block(self) -> dict[str, Any]:
        """The call as a part of the assistant's turn. Raises `invalid_message`."""
        try:
            args = msgspec.json.decode(self.arguments or "{}", type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise invalid(self.field, "This is not the JSON of an object.") from None
        parse.check_storable(self.field, args)
        return call_block(self.id, self.name, args)


class Said(msgspec.Struct, frozen=True):
    """A message of a request; `field` is its place there. One with `result_of` is the result of
    that call."""

    role: str
    text: str
    field: str
    calls: Sequence[Call] = ()
    result_of: str | None = None
    files: Sequence[SentFile] = ()


class HistoryTurn(ChatTurn, frozen=True):
    """A turn with calls of tools, or their results."""

    blocks: list[dict[str, Any]] = []
    files: Sequence[SentFile] = ()

    @property
    def turn(self) -> Turn:
        """See `ChatTurn.turn`."""
        return Turn(role=self.role, content=self.content, blocks=self.blocks)


class ForeignRequest(ChatRequest, frozen=True):
    """A request whose one message may be results of tools, and whose messages may have files:
    `files` has those of each turn, and `placed` their ids when they are stored."""

    blocks: list[dict[str, Any]] = []
    files: list[list[SentFile]] = []
    placed: list[list[str]] = []

    @property
    def attached(self) -> list[list[str]]:
        """See `ChatRequest.attached`."""
        return self.placed or [[] for _ in self.turns]

    @property
    def identity(self) -> Any:
        """See `ChatRequest.identity`. A file that is sent again is stored under another id."""
        files = [[file.identity for file in of_one] for of_one in self.files]
        return [self.turns, files] if any(files) else self.turns

    @property
    def turns(self) -> list[Turn]:
        """See `ChatRequest.turns`."""
        if self.messages is not None:
            return super().turns
        return [Turn(role="user", content=self.message or "", blocks=self.blocks)]


def instructions_of(messages: Sequence[Said]) -> list[str]:
    """The texts that are added to the agent's instructions."""
    return [said.text for said in messages if said.role in ("system", "developer")]


def chat_of(
    messages: Sequence[Said], field: str, *, message_bytes: int, known: Collection[str] = ()
) -> ForeignRequest:
    """The same history in the native protocol. Results may be of calls that are `known` already.

    Raises `invalid_message`, `message_too_large`."""
    turns = list(_turns(messages, {*known}))
    if len(turns) > MAX_TURNS:
        raise invalid(field, f"Send at most {MAX_TURNS} messages: leave out the oldest.")
    if not turns or turns[-1].role != "user":
        raise invalid(field, "The last message must be the user's.")
    last = turns[-1]
    if not last.blocks and len(last.content.encode()) > message_bytes:
        raise parse.too_large(message_bytes)
    files = [[*turn.files] for turn in turns]
    if len(turns) == 1:
        return ForeignRequest(message=last.content, blocks=last.blocks, files=files)
    return ForeignRequest(messages=[*turns], files=files)


def message_of(
    messages: Sequence[Said], field: str, *, message_bytes: int, known: Collection[str] = ()
) -> ForeignRequest:
    """One message that goes on with a conversation whose last answer has asked for the calls that
    are `known`: their results, and what the user says. Raises `invalid_message`,
    `message_too_large`."""
    turns = list(_turns([said for said in messages if not said.calls], {*known}))
    if any(turn.role == "assistant" for turn in turns):
        problem = "Send what is new only: the agent knows what came before."
        raise invalid(field, problem)
    text = "\n\n".join(turn.content for turn in turns if not turn.blocks)
    if len(text.encode()) > message_bytes:
        raise parse.too_large(message_bytes)
    if not turns:
        raise invalid(field, "The text is empty.")
    blocks = [block for turn in turns for block in turn.blocks]
    if blocks and text:
        blocks.append(text_block(text))
    whole = "\n\n".join(turn.content for turn in turns if turn.content)
    files = [file for turn in turns for file in turn.files]
    return ForeignRequest(message=whole, blocks=blocks, files=[files])


def with_tools(request: ForeignRequest, tools: Sequence[ClientTool]) -> ForeignRequest:
    """The request with tools that its client carries out. Raises `invalid_message`."""
    check_tools(tools)
    return msgspec.structs.replace(request, tools=[*tools])


def _turns(messages: Sequence[Said], known: set[str]) -> Iterator[HistoryTurn]:
    """The turns: the calls of one answer are in one, and so are their results."""
    for kind, group in groupby(messages, _kind):
        said = list(group)
        if kind == "results":
            for each in said:
                if each.result_of not in known:
                    raise invalid(each.field, "This is no call of the answer before.")
                parse.check_storable(each.field, each.text)
            yield _results(said)
        elif kind == "assistant":
            known |= {call.id for each in said for call in each.calls}
            yield from _answers(said)
        elif kind == "user":
            for each in said:
                parse.check_text(each.field, each.text)
                yield HistoryTurn(role="user", content=each.text, files=each.files)


def _kind(said: Said) -> str:
    return "results" if said.result_of is not None else said.role


def _answers(said: Sequence[Said]) -> Iterator[HistoryTurn]:
    """Answers that follow one another; one that broke off may be empty."""
    spoken = [each for each in said if each.text.strip()]
    for each in spoken:
        parse.check_storable(each.field, each.text)
    if not any(each.calls for each in said):
        yield from (HistoryTurn(role="assistant", content=each.text) for each in spoken)
        return
    texts = [text_block(each.text) for each in spoken]
    calls = [call.block() for each in said for call in each.calls]
    text = "\n\n".join(each.text for each in spoken)
    yield HistoryTurn(role="assistant", content=text, blocks=[*texts, *calls])


def _results(said: Sequence[Said]) -> HistoryTurn:
    """Results of one step; their text is for readers of the conversation, and for a model that
    cannot be sent the calls."""
    blocks = [result_block(each.result_of or "", each.text, is_error=False) for each in said]
    text = "\n\n".join(each.text for each in said if each.text.strip())
    return HistoryTurn(role="user", content=text, blocks=blocks)
