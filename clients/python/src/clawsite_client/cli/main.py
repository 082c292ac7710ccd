"""The command line `claw`."""

import argparse
import getpass
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from clawsite_client.cli import account
from clawsite_client.cli.output import Output
from clawsite_client.cli.talk import INTERRUPTED, Talk
from clawsite_client.errors import ClawError
from clawsite_client.synchronous import Client

FAILED, REFUSED = 1, 3
"""Exit codes: it went wrong; the token is not good for it. 2 is a wrong command line."""
REFUSALS = (401, 403)
Given: TypeAlias = argparse.Namespace
Command: TypeAlias = Callable[[Client, Given, Output], int]


def chat(client: Client, given: Given, output: Output) -> int:
    """Ask an agent, or talk to it."""
    talk = Talk(client, given.agent, output, given.conversation)
    return talk.ask(given.text) if given.text is not None else talk.hold()


def tail(client: Client, given: Given, output: Output) -> int:
    """Show a run from its beginning to its end."""
    for event in client.runs.events(given.run):
        output.event(event)
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


def parser() -> argparse.ArgumentParser:
    """The commands and their arguments."""
    whole = argparse.ArgumentParser(prog="claw", description="Talk to agents of Clawsite.")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    login = commands.add_parser("login", help="Keep the address and the token of a server.")
    login.add_argument("url", nargs="?")
    login.set_defaults(command=None)
    talking = _add(commands, "chat", chat)
    talking.add_argument("agent")
    talking.add_argument("text", nargs="?")
    talking.add_argument("--conversation", help="go on with this conversation")
    runs = commands.add_parser("runs", help="Look at runs.").add_subparsers(required=True)
    _add(runs, "tail", tail).add_argument("run")
    _add(commands, "agents", agents)
    _add(commands, "keys", keys)
    _add(commands, "usage", usage).add_argument("--by", help="day, agent, model or key")
    documents = commands.add_parser("docs", help="Documents of agents.")
    adding = _add(documents.add_subparsers(required=True), "add", add_document)
    adding.add_argument("agent")
    adding.add_argument("file")
    return whole


def _add(commands: Any, name: str, run: Command) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=run.__doc__)
    made.add_argument("--json", action="store_true", help="print JSON, one object a line")
    made.set_defaults(command=run)
    return made


def log_in(given: Given) -> int:
    """Ask for what is missing, try it, and keep it."""
    url = given.url or input("Address of the server: ")
    token = getpass.getpass("Token: ") if sys.stdin.isatty() else sys.stdin.readline().strip()
    with Client(url, token) as client:
        client.conversations.list(limit=1)
    print(f"Kept in {account.save(url, token)}.")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command; its exit code."""
    given = parser().parse_args(arguments)
    try:
        if given.command is None:
            return log_in(given)
        with Client(*account.load()) as client:
            code: int = given.command(client, given, Output(as_json=given.json))
            return code
    except ClawError as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)
        refused = error.status in REFUSALS or error.code == "auth_required"
        return REFUSED if refused else FAILED
    except OSError as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
