"""What the product makes on disk is for its own user only."""

import os
from pathlib import Path

from tests.live.clients import Rest
from tests.live.server import Server


async def test_files_and_folders_are_their_owners(server: Server, rest: Rest) -> None:
    """P30: database, journals and locks, whatever the user's umask is."""
    assert (
        await rest.post("/api/chat", {"message": "go [[upstream tokens=3]]"})
    ).status_code == 200
    assert not open_to_others(server)


def open_to_others(server: Server) -> dict[Path, str]:
    """The modes of what others may look into."""
    journal = Path(f"{server.database}.runs")
    made = [*server.database.parent.glob(f"{server.database.name}*"), *journal.rglob("*")]
    assert {server.database, journal, journal / ".lock"} < set(made)
    modes = {path: os.stat(path).st_mode & 0o777 for path in made}
    return {path: oct(mode) for path, mode in modes.items() if mode & 0o077}
