"""The command line `claw`."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from clawsite_client.cli import account, commands
from clawsite_client.cli.commands import Command, Given
from clawsite_client.cli.completion import ASKED, SCRIPTS, words
from clawsite_client.cli.output import Output
from clawsite_client.cli.talk import INTERRUPTED
from clawsite_client.errors import ClawError
from clawsite_client.synchronous import Client

FAILED, REFUSED = 1, 3
"""Exit codes: it went wrong; the token is not good for it. 2 is a wrong command line."""
REFUSALS = (401, 403)


def parser() -> argparse.ArgumentParser:
    """The commands and their arguments."""
    whole = argparse.ArgumentParser(prog="claw", description="Talk to agents of Clawsite.")
    adding = whole.add_subparsers(required=True, metavar="COMMAND", dest="name")
    login = _add(adding, "login", None, "Keep the address and the token of a server.")
    login.add_argument("url", nargs="?")
    talking = _add(adding, "chat", commands.chat)
    talking.add_argument("agent")
    talking.add_argument("text", nargs="?")
    talking.add_argument("--conversation", help="go on with this conversation")
    talking.add_argument(
        "-f", "--file", action="append", default=[], help="send a file with the first question"
    )
    runs = adding.add_parser("runs", help="Look at runs.").add_subparsers(required=True)
    _add(runs, "tail", commands.tail).add_argument("run")
    _add(adding, "agents", commands.agents)
    _add(adding, "keys", commands.keys)
    _add(adding, "usage", commands.usage).add_argument("--by", help="day, agent, model or key")
    documents = adding.add_parser("docs", help="Documents of agents.")
    document = _add(documents.add_subparsers(required=True), "add", commands.add_document)
    document.add_argument("agent")
    document.add_argument("file")
    shell = adding.add_parser("completion", help="Print what lets a shell complete commands.")
    shell.add_argument("shell", choices=sorted(SCRIPTS))
    adding.add_parser(ASKED).add_argument("words", nargs="*")
    return whole


def _add(
    adding: Any, name: str, run: Command | None, said: str | None = None
) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = adding.add_parser(name, help=said or (run and run.__doc__))
    made.add_argument("--json", action="store_true", help="print JSON, one object a line")
    made.set_defaults(command=run)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command; its exit code."""
    given = parser().parse_args(arguments)
    if given.name == "completion":
        print(SCRIPTS[given.shell], end="")
        return 0
    if given.name == ASKED:
        print("\n".join(words(parser(), given.words)))
        return 0
    output = Output(as_json=given.json)
    try:
        return _carry_out(given, output)
    except ClawError as error:
        output.error(error)
        refused = error.status in REFUSALS or error.code == "auth_required"
        return REFUSED if refused else FAILED
    except OSError as error:
        output.error(ClawError("failed", str(error)))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _carry_out(given: Given, output: Output) -> int:
    if given.command is None:
        return commands.log_in(given, output)
    with Client(*account.load()) as client:
        code: int = given.command(client, given, output)
        return code


if __name__ == "__main__":
    sys.exit(main())
