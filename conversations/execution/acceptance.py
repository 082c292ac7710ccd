"""Accepts messages: one transaction stores the conversation, both messages and the run.

The user's message is committed before anything else is done for it."""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from agents.access import agent_of
from agents.caller import Caller
from agents.config import AgentConfig
from conversations import access
from conversations.execution.claim import ClaimedRun, begin
from conversations.execution.enqueue import Enqueue, no_queue
from conversations.execution.recording.steps import pack_turn
from conversations.models import Conversation, Message, MessageStatus, Run, RunStatus
from conversations.usage.budgets import Funds, Need
from core.database import database_step
from core.statements import insert_rows
from core.tasks.batching import Batcher
from engine.errors import ClawError, invalid
from engine.usage import CHARS_PER_TOKEN
from files.access import attach
from files.attached import Attached
from wire import parse
from wire.native import MAX_TURNS, ChatRequest

TITLE_LENGTH = 80
GROUP = 20  # messages in one transaction: bounds how long the last of them waits
GROUP_TURNS = MAX_TURNS  # of callers' own histories: the same, since each is a row


@dataclass(frozen=True)
class Asked:
    """A message of a caller for an agent whose provider and model are resolved, with its files.
    `foreign` is kept with its run."""

    caller: Caller
    agent: AgentConfig
    request: ChatRequest
    foreign: dict[str, Any] | None = None
    files: tuple[Attached, ...] = ()


@dataclass(frozen=True)
class Accepted:
    """The run that answers a message. `new` is False if it is an earlier run, found again by its
    `clientMessageId`. `place` is its place in line, from 1, if it has to wait. `interrupts` are the
    conversation's other runs, if the policy is to stop them."""

    run: Run
    new: bool
    place: int | None = None
    interrupts: tuple[Run, ...] = ()

    @property
    def claimed(self) -> bool:
        """Whether the run was stored as claimed."""
        return self.new and self.run.status == RunStatus.RUNNING


class Acceptance:
    """Stores what is asked. Messages that come together share one transaction.

    `claimed` is given by a process that answers what it accepts. A run that need not wait is then
    stored as claimed, which saves a transaction, and handed to `claimed` before anybody knows of
    it."""

    def __init__(
        self, enqueue: Enqueue = no_queue, claimed: Callable[[ClaimedRun], None] | None = None
    ) -> None:
        self._enqueue, self._claimed = enqueue, claimed
        self._batcher: Batcher[Asked, Accepted] = Batcher(
            self._accept, _group_size, lambda one: one.caller.principal.organization_id
        )

    async def accept(self, asked: Asked) -> Accepted:
        """Raises `conversation_busy`, `idempotency_conflict`, `budget_exceeded`,
        `invalid_message`, `unavailable`."""
        return await self._batcher.do(asked)

    async def _accept(self, asked: list[Asked]) -> list[Accepted | Exception]:
        here = self._claimed is not None
        answers = await database_step(accept, asked, self._enqueue, here)
        for answer in answers:
            if self._claimed and isinstance(answer, Accepted) and answer.claimed:
                self._claimed(ClaimedRun(answer.run, answer.run.attempt))
        return answers

    async def aclose(self) -> None:
        """Wait until everything that was asked is stored."""
        await self._batcher.aclose()


def _group_size(asked: list[Asked]) -> int:
    """The number of `asked` that go into the next transaction, at least one."""
    turns = 0
    for count, one in enumerate(asked[:GROUP]):
        turns += len(one.request.messages or ())
        if turns > GROUP_TURNS and count:
            return count
    return min(GROUP, len(asked))


def accept(
    asked: list[Asked], enqueue: Enqueue = no_queue, here: bool = False
) -> list[Accepted | Exception]:
    """Store all of them in one transaction. Returns for each its run, or the ClawError that refuses
    it. `here`: runs that need not wait are stored as claimed. Synchronous. Raises IntegrityError
    if two of them use the same new name."""
    try:
        answers = _store(asked, enqueue, here)
    except IntegrityError:
        if len(asked) > 1:
            raise
        # Somebody was faster: with this message, or with the alias, which exists now.
        earlier = _earlier(asked[0])
        answers = [earlier or _store_again(asked[0], enqueue, here)]
    # A message that was accepted before needs no room, and makes no second message.
    return [
        (_earlier(one) or answer) if isinstance(answer, ClawError) else answer
        for one, answer in zip(asked, answers, strict=True)
    ]


def _store_again(one: Asked, enqueue: Enqueue, here: bool) -> Accepted | ClawError:
    try:
        agent_of(replace(one.caller, agent=one.agent))
    except ClawError as gone:  # another process has deleted it, and this one remembers it
        return gone
    (answer,) = _store([one], enqueue, here)
    return answer


@transaction.atomic
def _store(asked: list[Asked], enqueue: Enqueue, here: bool) -> list[Accepted | ClawError]:
    drafts: dict[str, list[Run]] = defaultdict(list)  # what this adds to each conversation
    messages: list[Message] = []
    answers: list[Accepted | ClawError] = []
    _hold(asked)
    funds = Funds({one.caller.principal.organization_id for one in asked})
    for one in asked:
        try:
            accepted, its_messages = _draft(one, drafts, funds)
        except ClawError as refusal:
            answers.append(refusal)
        else:
            drafts[accepted.run.conversation_id].append(accepted.run)
            messages += its_messages
            answers.append(accepted)
    runs = [run for of_one in drafts.values() for run in of_one]
    ready = [one.run for one in answers if here and isinstance(one, Accepted) and not one.place]
    begin(ready, timezone.now())
    new = {run.conversation_id: run.conversation for run in runs if run.conversation._state.adding}
    insert_rows(list(new.values()))
    insert_rows(messages)
    insert_rows(runs)
    # Also where one must wait: the run before it may end before this transaction does.
    enqueue(runs)
    return answers


def _hold(asked: list[Asked]) -> None:
    """Wait for other processes that add to the same conversations, and let them wait for this one:
    runs in line are counted, and messages are seen in the order of their keys."""
    if connection.vendor != "postgresql":  # SQLite has one writer
        return
    named = []
    for one in asked:
        caller = replace(one.caller, agent=one.agent)
        with suppress(ClawError):  # it is refused in its turn
            if (name := _name(caller, one.request)) is not None:
                named.append((caller, name))
    access.hold(named)


def _draft(
    one: Asked, drafts: dict[str, list[Run]], funds: Funds
) -> tuple[Accepted, list[Message]]:
    """The rows that a message adds, not yet stored."""
    agent, request = one.agent, one.request
    caller = replace(one.caller, agent=agent)
    conversation, unfinished = _conversation(caller, request)
    if one.files:
        attach(caller, [file.id for file in one.files], conversation.pk)
    before = drafts[conversation.pk]
    unfinished += len(before)
    policy = request.if_busy or agent.if_busy
    interrupts: tuple[Run, ...] = ()
    replaced = _replaced(caller, conversation, request.replaces)
    if replaced is not None:
        gone = [run for run in access.unfinished_runs(conversation) if _follows(run, replaced)]
        interrupts = (*gone, *before)
    in_the_way = unfinished - len(interrupts)
    if in_the_way and policy == "interrupt":
        interrupts = (*access.unfinished_runs(conversation), *before)
    elif in_the_way and policy == "reject":
        raise ClawError("conversation_busy", "The agent is still answering the last message.")
    elif in_the_way > settings.CLAW_QUEUE_LENGTH:
        raise ClawError("conversation_busy", "Too many messages wait in this conversation.")
    run = _run(one, conversation)
    # A client of another protocol cannot be shown the answer of another run.
    run.steers = policy == "steer" and in_the_way > 0 and one.foreign is None and not one.files
    run.reserved = funds.reserve(
        run,
        lambda: Need.of(agent, _length(one), access.last_tokens(conversation)),
        caller.principal.allowance.monthly_budget,
    )
    version = 1
    if replaced is not None:
        version = replaced.version + 1
        access.replace_message(replaced)
        for run in before:  # asked after it, in this very moment
            run.user_message.replaced = run.message.replaced = True
    messages = [
        Message(conversation=conversation, role=turn.role, content=turn.content)
        for turn in request.turns
    ]
    messages[-1].client_message_id = request.client_message_id
    messages[-1].replaces = request.replaces
    messages[-1].version = version
    messages[-1].context = msgspec.to_builtins(request.context)
    files = {file.id: file.stored() for file in one.files}
    for message, ids in zip(messages, request.attached, strict=True):
        message.attachments = [files[file_id] for file_id in ids]
    answer = Message(conversation=conversation, role="assistant", status=MessageStatus.QUEUED)
    run.user_message, run.message = messages[-1], answer
    for message, turn in zip(messages, request.turns, strict=True):
        message.steps = pack_turn(run, turn)
    accepted = Accepted(run, new=True, place=unfinished or None, interrupts=interrupts)
    return accepted, [*messages, answer]


def _run(one: Asked, conversation: Conversation) -> Run:
    """The row of a message's run, without its messages."""
    agent, request, principal = one.agent, one.request, one.caller.principal
    return Run(
        organization_id=principal.organization_id,
        agent_id=agent.id,
        api_key_id=principal.key_id,
        conversation=conversation,
        owner=principal.owner,
        client_message_id=request.client_message_id,
        fingerprint=fingerprint(request),
        provider=agent.provider,
        model=agent.model,
        config={**vars(agent)},
        foreign=one.foreign,
        on_disconnect=request.on_disconnect or agent.on_disconnect,
    )


def _length(one: Asked) -> int:
    """Characters of what is asked, and of what its files are read as."""
    files = sum(file.tokens for file in one.files) * CHARS_PER_TOKEN
    return sum(len(turn.content) for turn in one.request.turns) + files


def _conversation(caller: Caller, request: ChatRequest) -> tuple[Conversation, int]:
    """The conversation, stored or to be stored, and how many of its runs have not ended."""
    name = _name(caller, request)
    if name is not None:
        rows = access.conversations(caller).annotate(unfinished=access.count_of_unfinished())
        found = rows.filter(access.called(name)).first()
        if found is not None:
            if request.messages is not None:
                raise invalid("conversationId", "`messages` always begins a new conversation.")
            return found, found.unfinished
    new = Conversation(
        organization_id=caller.principal.organization_id,
        agent_id=caller.require_agent().id,
        owner=caller.principal.owner,
        alias=name,
        title=" ".join(request.turns[0].content.split())[:TITLE_LENGTH],
    )
    return new, 0


def _name(caller: Caller, request: ChatRequest) -> str | None:
    """The message's name for its conversation, if it has one. Raises `message_not_found`."""
    if request.conversation_id is None and request.replaces is not None:
        return access.question(caller, request.replaces).conversation_id
    return request.conversation_id


def _replaced(caller: Caller, conversation: Conversation, public_id: str | None) -> Message | None:
    """The message in whose place another one comes, if it does. Raises `message_not_found`, also
    for a message of another conversation."""
    if public_id is None:
        return None
    message = access.question(caller, public_id)
    if message.conversation_id != conversation.pk:
        raise ClawError("message_not_found", "There is no such message in this conversation.")
    return message


def _follows(run: Run, message: Message) -> bool:
    """Whether the run answers this message or a later one."""
    return run.user_message_id >= message.pk


def _earlier(one: Asked) -> Accepted | ClawError | None:
    """The run that the same client message has already started, or why it cannot be that."""
    name = one.request.client_message_id
    run = access.run_of_client_message(replace(one.caller, agent=one.agent), name) if name else None
    if run is None:
        return None
    if run.fingerprint != fingerprint(one.request):
        return ClawError(
            "idempotency_conflict", "This clientMessageId was used for another message."
        )
    return Accepted(run, new=False)


def fingerprint(request: ChatRequest) -> str:
    """SHA-256 of what is asked: tells a retry from another question under the same name."""
    return hashlib.sha256(parse.dumps(request.identity)).hexdigest()
