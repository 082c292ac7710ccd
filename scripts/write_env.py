"""Write the secrets that an installation needs into `.env`, each once; existing lines stay.

`--port 8001` is written too, in place of an earlier one: later commands print addresses with it."""

import argparse
import base64
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

SECRETS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(50),
    # The form that Fernet asks for: 32 bytes, URL-safe base64.
    "CLAW_ENCRYPTION_KEYS": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
}

# Of an installation to look at: until then nobody can sign up.
FIRST = "CLAW_SIGNUP=open"


def complete(text: str, port: int | None = None) -> str:
    """The text of an .env file with a fresh value for every secret that is missing or empty, and
    with this port if one is given. Where there is none yet, people may sign up."""
    lines = text.splitlines() or [FIRST]
    if port is not None:
        lines = _with_port(lines, port)
    for name, generate in SECRETS.items():
        if any(line.startswith(f"{name}=") and line != f"{name}=" for line in lines):
            continue
        # The first line of a name is the one that counts, so an empty one must go.
        lines = [line for line in lines if line != f"{name}="]
        lines.append(f"{name}={generate()}")
    return "\n".join(lines) + "\n"


def _with_port(lines: list[str], port: int) -> list[str]:
    """The lines with this one port, where the first one stood."""
    ports = [at for at, line in enumerate(lines) if re.match(r"(export\s+)?PORT\s*=", line)]
    place = ports[0] if ports else len(lines)
    others = [line for at, line in enumerate(lines) if at not in ports]
    return [*others[:place], f"PORT={port}", *others[place:]]


def write(path: Path, port: int | None = None) -> bool:
    """Complete the file at `path`, readable by its owner only; returns whether it changed."""
    before = path.read_text() if path.exists() else ""
    after = complete(before, port)
    if after == before:
        return False
    # Replaced in one step: a crash in between must not lose keys that encrypt stored secrets.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(after)
    draft.replace(path)
    return True


def port_number(text: str) -> int:
    """The type of `--port`."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is 1 to 65535, not {text!r}")
    return int(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=port_number, help="where `make run` serves from now on")
    env_file = Path(__file__).resolve().parent.parent / ".env"
    first = not env_file.exists()
    if write(env_file, parser.parse_args().port) and first:
        print("Wrote secrets to .env: back it up with the database, which is encrypted with them.")
