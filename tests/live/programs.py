"""Runs a client as a program of its own, as its user would."""

import asyncio
import os
import sys
from pathlib import Path

SECONDS = 110.0  # a little less than pytest's own patience

COMMANDS = {
    "sh": ["sh", "-eu"],
    "python": [sys.executable, "-W", "error"],
    "js": ["node"],
}
SUFFIX = {"sh": ".sh", "python": ".py", "js": ".mjs"}


async def run(language: str, program: Path, **variables: str) -> str:
    """What it printed. Fails if it does not succeed in time."""
    return await _print_of([*COMMANDS[language], str(program)], variables)


async def node_test(program: Path, **variables: str) -> str:
    """Run a file of Node's tests; what it printed. Fails with that if a test in it does."""
    return await _print_of(["node", "--test", "--test-reporter=tap", str(program)], variables)


async def _print_of(command: list[str], variables: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        env={"PATH": os.environ["PATH"], **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    printed = f"{out.decode()[-3000:]}\n{err.decode()[-2000:]}"
    assert process.returncode == 0, f"{Path(command[-1]).name}: {printed}"
    return out.decode()
