"""The commands of `claw`; each returns the exit code."""

import argparse
import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from clawsite_client.answer import Answer
from clawsite_client.cli import account
from clawsite_client.cli.output import Output
from clawsite_client.cli.talk import Talk
from clawsite_client.synchronous import Client

Given: TypeAlias = argparse.Namespace
Command: TypeAlias = Callable[[Client, Given, Output], int]


def chat(client: Client, given: Given, output: Output) -> int:
    """Ask an agent, or talk to it."""
    files = [Path(name) for name in given.file]
    talk = Talk(client, given.agent, output, given.conversation)
    talk.attach([(path.name, path.read_bytes()) for path in files])
    return talk.ask(given.text) if given.text is not None else talk.hold()


def tail(client: Client, given: Given, output: Output) -> int:
    """Show a run from its beginning to its end. Raises the error of one that failed."""
    answer = Answer()
    for event in client.runs.events(given.run):
        answer.add(event)
        output.event(event)
    answer.reply()
    return 0


def agents(client: Client, given: Given, output: Output) -> int:
    """List the agents."""
    output.value(client.agents.list(), ("slug", "name", "id"))
    return 0


def keys(client: Client, given: Given, output: Output) -> int:
    """List the keys of the organisation."""
    output.value(client.keys(), ("id", "name", "prefix"))
    return 0


def usage(client: Client, given: Given, output: Output) -> int:
    """Show what was used."""
    columns = tuple((given.by or "day").split(","))
    numbers = ("inputTokens", "outputTokens", "cost", "runs")
    output.value(client.usage(group_by=given.by), (*columns, *numbers))
    return 0


def add_document(client: Client, given: Given, output: Output) -> int:
    """Give an agent a document."""
    path = Path(given.file)
    output.value(client.agents.add_document(given.agent, path.name, path.read_bytes()))
    return 0


def log_in(given: Given, output: Output) -> int:
    """Ask for what is missing, try it, and keep it."""
    url = given.url or input("Address of the server: ")
    token = getpass.getpass("Token: ") if sys.stdin.isatty() else sys.stdin.readline().strip()
    with Client(url, token) as client:
        client.conversations.list(limit=1)
    output.value({"keptIn": str(account.save(url, token))})
    return 0
