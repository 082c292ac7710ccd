"""Write the secrets that an installation needs into `.env`, each once; what is there stays."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path

SECRETS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    # The form that Fernet asks for: 32 bytes, URL-safe base64.
    "CLAW_ENCRYPTION_KEYS": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
}


def complete(text: str) -> str:
    """The text of an .env file with a fresh value for every secret that is missing or empty."""
    lines = text.splitlines()
    for name, generate in SECRETS.items():
        if any(line.startswith(f"{name}=") and line != f"{name}=" for line in lines):
            continue
        # The first line of a name is the one that counts, so an empty one must go.
        lines = [line for line in lines if line != f"{name}="]
        lines.append(f"{name}={generate()}")
    return "\n".join(lines) + "\n"


def write(path: Path) -> bool:
    """Complete the file at `path`, readable by its owner only; returns whether it changed."""
    before = path.read_text() if path.exists() else ""
    after = complete(before)
    if after == before:
        return False
    # Replaced in one step: a crash in between must not lose keys that encrypt stored secrets.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(after)
    draft.replace(path)
    return True


if __name__ == "__main__":
    env_file = Path(__file__).resolve().parent.parent / ".env"
    if write(env_file):
        print("Wrote secrets to .env: back it up with the database, which is encrypted with them.")
