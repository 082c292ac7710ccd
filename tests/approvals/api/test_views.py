"""`approvals.api.views`: what need not be asked again is listed and revoked; several calls are
decided at once. In the application as a whole."""

from typing import Any

from agents.caller import Caller
from tests.asgi import ask
from tests.conversations.execution.waiting.paying import Bank, pay


async def decide(token: str, *decisions: dict[str, Any]) -> list[dict[str, Any]]:
    """What became of several decisions."""
    status, answer = await ask(
        "POST", "/api/approvals/decisions", {"decisions": list(decisions)}, token=token
    )
    assert status == 200, answer
    return list(answer["results"])


async def pending(token: str) -> dict[str, Any]:
    """The approvals that wait."""
    status, answer = await ask("GET", "/api/approvals?status=pending", token=token)
    assert status == 200, answer
    return dict(answer)


async def named(bank: Bank, run: Any, id: str, **fields: Any) -> dict[str, Any]:
    """A decision about a call, with its name."""
    digest = (await bank.row(run, id)).digest
    return {"runId": run.pk, "id": id, "argsDigest": digest, "approve": True} | fields


async def test_b2_it_is_listed_and_revoked(bank: Bank, caller: Caller, token: str) -> None:
    run = await bank.run(caller, pay())
    (done,) = await decide(token, await named(bank, run, "toolu_1", always="agent"))
    assert done == {"runId": run.pk, "id": "toolu_1", "status": "approved"}
    status, page = await ask("GET", "/api/standing-approvals", token=token)
    (row,) = page["standingApprovals"]
    assert (status, row["tool"], row["agentId"]) == (200, "pay", run.agent_id)
    assert row["by"]["kind"] == "key" and row["toolDigest"].startswith("sha256:")
    assert "conversationId" not in row
    for expected in (204, 404):
        status, _ = await ask("DELETE", f"/api/standing-approvals/{row['id']}", token=token)
        assert status == expected


async def test_b2_several_decisions_each_with_its_own_result(
    bank: Bank, caller: Caller, token: str
) -> None:
    run = await bank.run(caller, pay("a", "Ann"), pay("b", "Bob"), pay("c", "Cid"))
    assert (await pending(token))["waiting"] == 3
    first, second = await named(bank, run, "a"), await named(bank, run, "b", approve=False)
    wrong = await named(bank, run, "c", argsDigest=first["argsDigest"])
    stranger = first | {"runId": "run_none"}
    results = await decide(token, first, wrong, second, first, stranger)
    await bank.waits(run)
    assert [each.get("status") or each["error"]["code"] for each in results] == [
        "approved",
        "digest_mismatch",
        "denied",
        "already_decided",
        "approval_not_found",
    ]
    assert bank.paid == ["Ann"]
    left = await pending(token)
    assert ([row["id"] for row in left["approvals"]], left["waiting"]) == (["c"], 1)


async def test_b2_only_what_can_be_decided_is_counted(
    bank: Bank, caller: Caller, token: str
) -> None:
    """A run that is told to stop, or whose time is over, waits for nobody, also before it knows."""
    stopped, expired = (
        await bank.run(caller, pay(), name="a"),
        await bank.run(caller, pay(), name="b"),
    )
    assert (await pending(token))["waiting"] == 2
    await bank.services.dispatcher.cancel(await bank.stored(stopped))
    await bank.waits(stopped)
    assert (await pending(token))["waiting"] == 1
    await bank.expire(expired)
    assert await pending(token) == {"approvals": [], "waiting": 0, "nextCursor": None}


async def test_decisions_are_bounded(bank: Bank, token: str) -> None:
    one = {"runId": "r", "id": "c", "argsDigest": "sha256:0", "approve": True}
    for decisions in ([], [one] * 101, [one | {"more": 1}], [one | {"always": "everybody"}]):
        status, answer = await ask(
            "POST", "/api/approvals/decisions", {"decisions": decisions}, token=token
        )
        assert (status, answer["error"]["code"]) == (400, "invalid_message")
    backwards = one | {"approve": False, "always": "agent"}
    (refused,) = await decide(token, backwards)
    assert refused["error"]["code"] == "approval_not_found"
