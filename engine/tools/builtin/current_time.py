"""The tool `current_time`: the date and the time in a time zone."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from engine.tools.base import ToolContext
from engine.tools.builtin.base import Builtin, ToolFailed


class Arguments(msgspec.Struct):
    """The arguments of a call."""

    timezone: Annotated[
        str, msgspec.Meta(description="A time zone of the IANA database, such as Europe/Paris.")
    ] = "UTC"


async def run(arguments: Arguments, context: ToolContext) -> dict[str, str]:
    """`{time, weekday, timezone}`; the time is ISO 8601 with the zone's offset."""
    name = arguments.timezone.strip() or "UTC"
    try:
        now = datetime.now(ZoneInfo(name))
    except (LookupError, ValueError, OSError):  # a folder of the database is an OSError
        raise ToolFailed(f"There is no time zone {name[:64]!r} in the IANA database.") from None
    return {
        "time": now.isoformat(timespec="seconds"),
        "weekday": f"{now:%A}",
        "timezone": name,
    }


TOOL = Builtin(
    "Tells the current date, time and day of the week in a time zone. Use it whenever the answer"
    " depends on what time or day it is now.",
    Arguments,
    run,
    repeatable=True,
)
