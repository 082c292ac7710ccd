"""A picture of a terminal: the command line talks to a real small model on this machine."""

import asyncio
import os
import sys
import textwrap

from scripts.pictures.terminal import COLUMNS
from scripts.small_model import SAID
from tests.live.server import ROOT, Server

QUESTION = "What is the capital of France, and what may I do there?"
START = "$ make run MODEL=local"
ASK = f'$ claw chat my-agent "{QUESTION}"'


async def session(server: Server) -> list[str]:
    """Its lines; the agent of the server answers with the model."""
    answer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clawsite_client.cli.main", "chat", "my-agent", QUESTION),
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / "clients" / "python" / "src"),
            "CLAW_URL": server.url,
            "CLAW_TOKEN": server.keys.acme,
        },
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await answer.communicate()
    assert answer.returncode == 0
    written = [
        line
        for paragraph in printed.decode().splitlines()
        for line in textwrap.wrap(paragraph, COLUMNS) or [""]
    ]
    return [START, f"Model      {SAID}", "...", "", ASK, *written]
