"""`python -m scripts.pictures` makes them again, when what they show has changed.

It needs what `make test` installs: Playwright and Chromium."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.pictures import OPTIONS, TERMINAL, WIDGET, options, terminal, widget
from tests.live.server import Keys, Server, environment, manage


@contextmanager
def demo() -> Iterator[tuple[Server, str]]:
    """A server as `make run` starts it, and what `quickstart` has printed."""
    with TemporaryDirectory() as folder:
        env = environment(Path(folder) / "db.sqlite3", "http://127.0.0.1:9", ANTHROPIC_API_KEY="")
        del env["ALLOWED_HOSTS"]  # for this machine only, as it is where nothing is set
        manage(env, "migrate", "--no-input", "--verbosity", "0")
        printed = manage(env, "quickstart")
        (key,) = re.findall(r"^API key +(claw_live_\w+)", printed, re.MULTILINE)
        server = Server(env, Path(folder), Keys(key, "", "")).start()
        try:
            yield server, printed
        finally:
            server.kill()


async def main() -> None:
    """Make all of them."""
    OPTIONS.mkdir(parents=True, exist_ok=True)
    with demo() as (server, printed):
        await widget.shoot(server.url, WIDGET)
        await options.shoot(server.url, OPTIONS)
        lines = await terminal.session(server, printed)
    TERMINAL.write_text(terminal.svg(lines))


asyncio.run(main())
