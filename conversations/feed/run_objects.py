"""Runs as the command center shows them."""

import msgspec

from conversations.models import Run, RunStatus
from engine.events import Usage
from wire import feed

USER = "user:"


def run_object(
    run: Run, *, status: str | None = None, progress: bytes | None = None
) -> feed.FeedRun:
    """A run as it is, or in an earlier `status`. `progress`: its latest, while it is under way."""
    status = status or run.status
    begun = status != RunStatus.QUEUED
    usage, told = run.usage or {}, _progress(progress)
    tokens = feed.TokenUsage(
        input=usage.get("inputTokens", 0),
        output=usage.get("outputTokens", told.tokens if told else 0),
        total=usage.get("totalTokens", told.tokens if told else 0),
    )
    user = run.owner.startswith(USER)
    return feed.FeedRun(
        id=run.pk,
        status=status,
        agent_id=run.agent_id,
        agent_name=run.config["name"],
        conversation_id=run.conversation.public_id,
        owner=run.owner,
        provider=run.provider,
        model=run.model,
        tokens=tokens.total,
        token_usage=tokens,
        cost=usage.get("cost", told.cost if told else None),
        started_at=run.started_at if begun else None,
        completed_at=run.finished_at,
        latency_ms=usage.get("latencyMs"),
        ttft_ms=usage.get("ttftMs"),
        user=run.owner.removeprefix(USER) if user else msgspec.UNSET,
        key_id=run.api_key_id or msgspec.UNSET,
        error=msgspec.convert(run.error, feed.RunProblem) if run.error else msgspec.UNSET,
    )


def result(run: Run, reason: str) -> feed.RunResult:
    """The end of a run, without anything that was said in it."""
    usage = msgspec.convert(run.usage, Usage) if run.usage else None
    return feed.RunResult(
        status=run.status, reason=reason, usage=usage, cost=usage.cost if usage else None
    )


def _progress(data: bytes | None) -> feed.RunProgress | None:
    return msgspec.json.decode(data, type=feed.RunProgress) if data else None
