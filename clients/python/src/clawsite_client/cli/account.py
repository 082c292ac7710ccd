"""The server and the token of the command line."""

import json
import os
from pathlib import Path

from clawsite_client.errors import ClawError


def place() -> Path:
    """The file with both: in `XDG_CONFIG_HOME`, or `~/.config`."""
    folder = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(folder) / "clawsite" / "account.json"


def save(url: str, token: str) -> Path:
    """Keep them for later, for this user only."""
    path = place()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_text(json.dumps({"url": url, "token": token}))
    return path


def load() -> tuple[str, str]:
    """`CLAW_URL` and `CLAW_TOKEN`, else what was saved. Raises ClawError `auth_required`."""
    found: dict[str, str] = {}
    path = place()
    if path.exists():
        found = json.loads(path.read_text())
    url = os.environ.get("CLAW_URL") or found.get("url", "")
    token = os.environ.get("CLAW_TOKEN") or found.get("token", "")
    if not url or not token:
        raise ClawError("auth_required", "Run `claw login` first, or set CLAW_URL and CLAW_TOKEN.")
    return url, token
