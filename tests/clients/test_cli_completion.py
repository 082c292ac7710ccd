"""`clawsite_client.cli.completion`: what a shell completes."""

import subprocess

import pytest
from clawsite_client.cli.completion import SCRIPTS, words
from clawsite_client.cli.main import main, parser


def test_it_works() -> None:
    assert {"chat", "login", "runs"} <= set(words(parser(), []))
    assert words(parser(), ["runs"]) == ["tail"]
    assert "--file" in words(parser(), ["chat", "my-agent"])


def test_what_only_the_shell_calls_is_not_offered() -> None:
    assert "complete" not in words(parser(), [])


def test_bash_completes_a_command() -> None:
    called = """
claw() { echo chat; echo completion; }
COMP_WORDS=(claw ch); COMP_CWORD=1; _claw claw ch claw
echo "${COMPREPLY[@]}"
"""
    done = subprocess.run(
        ["bash", "-c", SCRIPTS["bash"] + called], capture_output=True, text=True, timeout=30
    )
    assert (done.stdout, done.stderr) == ("chat\n", "")


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_script_is_printed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "claw complete" in capsys.readouterr().out
