"""`wire.facade.models`: agents as models."""

from datetime import UTC, datetime

import msgspec

from wire.facade.models import Model


def test_it_works() -> None:
    model = Model.of("helper", datetime(2026, 1, 1, tzinfo=UTC))
    assert msgspec.to_builtins(model) == {
        "id": "helper",
        "object": "model",
        "created": 1767225600,
        "owned_by": "clawsite",
    }
