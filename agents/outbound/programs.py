"""The operator's list of programs that speak MCP: nobody else can name a command."""

from pathlib import Path

import msgspec
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from engine.tools.mcp.base import Command


class Program(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of the list."""

    command: str
    args: list[str] = []
    env: dict[str, str] = {}
    cwd: str | None = None

    def command_line(self) -> Command:
        """The program as it is started."""
        env = tuple(sorted(self.env.items()))
        return Command(command=self.command, args=tuple(self.args), env=env, cwd=self.cwd)


def programs() -> dict[str, Program]:
    """The programs by their names, as the file `CLAW_MCP_STDIO` has them now.

    Raises `ImproperlyConfigured` for a file that cannot be read."""
    if not settings.CLAW_MCP_STDIO:
        return {}
    try:
        data = Path(settings.CLAW_MCP_STDIO).read_bytes()
        return msgspec.json.decode(data, type=dict[str, Program])
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise ImproperlyConfigured(f"CLAW_MCP_STDIO cannot be read: {error}") from None
