"""The words that a shell may complete on the command line."""

import argparse
from collections.abc import Sequence

ASKED = "complete"
"""The command that shells ask; it is not for people."""
SCRIPTS = {
    "bash": """\
_claw() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(claw complete -- "${COMP_WORDS[@]:1:COMP_CWORD-1}")" -- "$2"))
}
complete -o default -F _claw claw
""",
    "zsh": """\
#compdef claw
_claw() {
  local -a words_known
  words_known=("${(@f)$(claw complete -- "${(@)words[2,CURRENT-1]}")}")
  [[ -n $words_known ]] && compadd -a words_known || _files
}
compdef _claw claw
""",
    "fish": """\
complete -c claw -a '(claw complete -- (commandline -opc)[2..])'
""",
}
"""For each shell the lines that its start-up file reads: `eval "$(claw completion bash)"`."""


def words(parser: argparse.ArgumentParser, before: Sequence[str]) -> list[str]:
    """The commands and options that may follow these words; none where a name or file follows."""
    for word in before:
        parser = _commands(parser).get(word, parser)
    commands = _commands(parser)
    options = [
        option
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--")
    ]
    return sorted(commands.keys() - {ASKED}) if commands else options


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= action.choices
    return found
