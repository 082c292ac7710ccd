"""`engine.tools.builtin.current_time`."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.tools.builtin import current_time
from engine.tools.builtin.base import BuiltinTools
from tests.engine.tools.contract import call

TOOLS = BuiltinTools({"current_time": current_time.TOOL})


async def test_it_works() -> None:
    result, is_error = await call(TOOLS, "current_time")
    told = datetime.fromisoformat(result["time"])
    assert not is_error and result["timezone"] == "UTC"
    assert timedelta(0) <= datetime.now(UTC) - told < timedelta(seconds=5)
    assert result["weekday"] == f"{told:%A}"


async def test_it_knows_the_zones_of_the_iana_database() -> None:
    result, _ = await call(TOOLS, "current_time", timezone=" Asia/Kathmandu ")
    assert datetime.fromisoformat(result["time"]).utcoffset() == timedelta(hours=5, minutes=45)


@pytest.mark.parametrize("blank", ["", " ", None])
async def test_a_blank_zone_is_utc(blank: str | None) -> None:
    assert (await call(TOOLS, "current_time", timezone=blank)).result["timezone"] == "UTC"


@pytest.mark.parametrize(
    "zone", ["Nowhere/Land", "America", "../etc/passwd", "/etc/passwd", "a\ufffd", "x" * 5000]
)
async def test_a_zone_that_there_is_not_is_an_error(zone: str) -> None:
    result, is_error = await call(TOOLS, "current_time", timezone=zone)
    assert is_error and "IANA" in result and len(result) < 200
