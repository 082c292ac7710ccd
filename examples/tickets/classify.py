"""Gives each ticket of a file a label from an agent: several at once, and it goes on where it
stopped.

    API_KEY=... python classify.py tickets.jsonl labels.jsonl --agent my-agent

Each line of `tickets.jsonl` is `{"id": ..., "text": ...}`, each of `labels.jsonl` has `id` and
`label`."""

import argparse
import asyncio
import json
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from clawsite_client import AsyncClient, ClawError

WIDTH = 30
ASK = "Which label fits this ticket? Answer with the label only.\n\n"


def read(path: Path) -> list[dict[str, str]]:
    """The objects of a file, a line each; none if there is no file. A line that was cut off when
    the program was stopped is left out."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


class Labels:
    """The labels so far, in a file: each is there as soon as it is known."""

    def __init__(self, path: Path) -> None:
        known = read(path)
        self.ids = {row["id"] for row in known}
        self._file = path.open("w", buffering=1)
        for row in known:
            self.keep(row["id"], row["label"])

    def keep(self, id: str, label: str) -> None:
        """Add the label of a ticket."""
        self.ids.add(id)
        self._file.write(json.dumps({"id": id, "label": label}) + "\n")

    def close(self) -> None:
        """Nothing more comes."""
        self._file.close()


def bar(done: int, whole: int) -> str:
    """A bar as long as what is done, and the numbers."""
    full = WIDTH * done // max(whole, 1)
    return f"[{'#' * full}{'.' * (WIDTH - full)}] {done} of {whole}"


async def classify(tickets: list[dict[str, str]], labels: Labels, given: Any) -> int:
    """Label those of the tickets that have none; the number of those that failed."""
    places, failed = asyncio.Semaphore(given.at_once), 0

    async def label(client: AsyncClient, ticket: dict[str, str]) -> None:
        nonlocal failed
        async with places:
            try:
                reply = await client.chat.send(ASK + ticket["text"], agent=given.agent)
            except ClawError as error:
                failed += 1
                print(f"\n{ticket['id']}: {error.code}: {error.message}", file=sys.stderr)
                return
        labels.keep(ticket["id"], reply.content.strip())
        print(f"\r{bar(len(labels.ids), len(tickets))}", end="", file=sys.stderr)

    left = [ticket for ticket in tickets if ticket["id"] not in labels.ids]
    async with (
        AsyncClient(given.url, os.environ["API_KEY"]) as client,
        asyncio.TaskGroup() as group,
    ):
        for ticket in left:
            group.create_task(label(client, ticket))
    print(file=sys.stderr)
    return failed


def main() -> int:
    """Read the arguments; the exit code is 1 if a ticket has no label."""
    parser = argparse.ArgumentParser(description="Label tickets with an agent.")
    parser.add_argument("tickets")
    parser.add_argument("labels")
    parser.add_argument("--agent", default="my-agent")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--at-once", type=int, default=4)
    given = parser.parse_args()
    with closing(Labels(Path(given.labels))) as labels:
        return 1 if asyncio.run(classify(read(Path(given.tickets)), labels, given)) else 0


if __name__ == "__main__":
    sys.exit(main())
