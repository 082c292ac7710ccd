"""`python -m scripts.pictures` makes them again, when what they show has changed.

It needs what `make scaled` installs: Playwright, Chromium and a small model."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.pictures import MODEL, OPTIONS, TERMINAL, WIDGET, model, options, terminal, widget
from scripts.small_model import settings
from tests.live.server import Keys, Server, environment, manage
from tests.ports import free_port
from tests.small_model import SmallModel


@contextmanager
def demo(**chosen: str) -> Iterator[tuple[Server, str]]:
    """A server as `make run` starts it with these settings, and what `quickstart` has printed."""
    with TemporaryDirectory() as folder:
        nowhere = "http://127.0.0.1:9"
        chosen = {"ANTHROPIC_API_KEY": "", **chosen}
        env = environment(Path(folder) / "db.sqlite3", nowhere, **chosen)
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
    port = free_port()
    with SmallModel(port), demo(**settings(port)) as (server, _):
        MODEL.write_text(terminal.svg(await model.session(server)))


asyncio.run(main())
