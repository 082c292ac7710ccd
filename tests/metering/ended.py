"""Runs that have ended."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from metering.recording import EndedRun

NOON = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


def ended(organization: str, **fields: Any) -> EndedRun:
    """A run with 10 tokens of input and 5 of output for a quarter of a dollar."""
    usage = {
        "inputTokens": 10,
        "outputTokens": 5,
        "ttftMs": 200,
        "tokensPerSecond": 40.5,
        "source": "provider",
    }
    defaults: dict[str, Any] = {
        "organization_id": organization,
        "agent_id": "agt_1",
        "key_id": None,
        "provider": "demo",
        "model": "demo",
        "created_at": NOON,
        "status": "completed",
        "usage": usage,
        "cost": Decimal("0.25"),
    }
    return EndedRun(**defaults | fields)
