"""An installation as `make run` makes it: a server with the demo agent, without any key."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.live.server import Keys, Server, environment, manage
from tests.ports import free_port


@contextmanager
def quickstarted(folder: Path, **settings: str) -> Iterator[tuple[Server, str]]:
    """The server with these settings, in an empty folder, and what `quickstart` has printed."""
    port = free_port()
    env = environment(folder / "db.sqlite3", "http://127.0.0.1:9", ANTHROPIC_API_KEY="", **settings)
    env["PORT"] = str(port)
    manage(env, "migrate", "--no-input", "--verbosity", "0")
    printed = manage(env, "quickstart")
    (key,) = re.findall(r"^API key +(claw_live_\w+)", printed, re.MULTILINE)
    server = Server(env, folder, Keys(key, "", ""), port=port).start()
    try:
        yield server, printed
    finally:
        server.kill()
