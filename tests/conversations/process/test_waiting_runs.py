"""A serving process whose runs wait: what REST and a watcher are told of them."""

import asyncio
import json
from contextlib import aclosing
from typing import Any

import pytest

from agents.caller import Caller
from conversations.execution.setup import toolbox
from conversations.models import Run
from conversations.process.services import Services
from conversations.runs.cancel import cancel_conversation
from conversations.runs.erase import erase_conversation
from conversations.runs.find import find_run
from conversations.runs.read import describe_run, read_snapshot
from conversations.runs.start import start_run
from conversations.runs.wake import wake_run
from conversations.transports.rest.api import ask_and_wait
from core.database import database_step
from tests.conversations.execution.asking import Desk, ask, scripted
from tests.conversations.parts import reload
from wire.native import ChatRequest

REQUEST = ChatRequest(message="Ask me", client_message_id="m-1")


@pytest.fixture
def desk(services: Services, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The desk of all agents of a serving process."""
    desk = Desk()
    monkeypatch.setattr(toolbox, "_toolbox_of", lambda *_: desk)
    monkeypatch.setattr(services.providers, "use", scripted(ask()).use)
    return desk


async def asked(services: Services, caller: Caller) -> tuple[int, dict[str, Any]]:
    """Status and body of `POST /api/chat`."""
    response = await ask_and_wait(services, caller, REQUEST)
    return response.status_code, json.loads(response.content)


async def test_it_works(services: Services, desk: Desk, caller: Caller) -> None:
    status, body = await asked(services, caller)
    run = await find_run(caller, body["runId"])
    pending = [{"kind": "question", "id": "toolu_1"}]
    assert status == 202
    assert body == {
        "runId": run.pk,
        "conversationId": run.conversation.public_id,
        "status": "waiting",
        "pending": pending,
    }
    described = await describe_run(services.log, run)
    snapshot = await read_snapshot(services.log, run)
    assert (described.status, snapshot.status, snapshot.message.status) == ("waiting",) * 3
    assert [call.id for call in described.pending] == ["toolu_1"]
    assert snapshot.pending == described.pending
    assert await asked(services, caller) == (202, body)  # asked again, by the same name

    desk.decisions["toolu_1"] = "yes"
    watching = asyncio.create_task(types(services, run))
    await wake_run(services.dispatcher, run.pk)
    await wake_run(services.dispatcher, run.pk)
    assert (await watching)[-2:] == ["message_complete", "done"]
    status, body = await asked(services, caller)
    assert (status, body["content"]) == (200, "Hello")
    described = await describe_run(services.log, await find_run(caller, run.pk))
    assert (described.status, described.pending) == ("completed", [])


async def types(services: Services, run: Run) -> list[str]:
    async with aclosing(services.log.follow(run.pk)) as batches:
        return [entry.type async for batch in batches for entry in batch]


async def test_a_run_that_waits_holds_nothing_of_the_process(
    services: Services, desk: Desk, caller: Caller
) -> None:
    _, body = await asked(services, caller)
    await asyncio.gather(*(handle.task for handle in services.dispatcher.handles()))
    assert services.dispatcher.states() == {}
    assert services.log.counts()["kept"] == 0
    assert (await database_step(reload, Run(pk=body["runId"]))).status == "waiting"


async def test_a_conversation_is_cancelled_with_the_run_that_waits(
    services: Services, desk: Desk, caller: Caller
) -> None:
    _, body = await asked(services, caller)
    run = await find_run(caller, body["runId"])
    assert await cancel_conversation(services.dispatcher, caller, body["conversationId"]) == [
        run.pk
    ]
    assert (await types(services, run))[-2:] == ["cancelled", "done"]


async def test_a_conversation_is_deleted_with_the_run_that_waits(
    services: Services, desk: Desk, caller: Caller
) -> None:
    _, body = await asked(services, caller)
    run = await find_run(caller, body["runId"])
    await erase_conversation(services, run.conversation)
    assert not await database_step(Run.objects.filter(pk=run.pk).exists)
    assert await services.log.last(run.pk) is None


async def test_a_message_that_interrupts_ends_the_run_that_waits(
    services: Services, desk: Desk, caller: Caller
) -> None:
    _, body = await asked(services, caller)
    run = await find_run(caller, body["runId"])
    request = ChatRequest(
        message="Never mind", conversation_id=body["conversationId"], if_busy="interrupt"
    )
    following = (await start_run(services, caller, request)).run
    assert (await types(services, run))[-2:] == ["cancelled", "done"]
    assert (await types(services, following))[-1] == "done"
