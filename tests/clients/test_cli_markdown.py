"""`clawsite_client.cli.markdown`: Markdown in a terminal while it comes."""

from io import StringIO

import pytest
from clawsite_client.cli.markdown import LiveMarkdown, closed_length
from rich.console import Console

TEXT = (
    "# Roses\n\nThey like **sun**:\n\n- one\n\n  more of it\n\n```py\na = 1\n\nb = 2\n```\n\n"
    "The end."
)


def test_it_works() -> None:
    screen = StringIO()
    drawn = LiveMarkdown(Console(file=screen, force_terminal=True, width=60))
    for letter in TEXT:
        drawn.add(letter)
    drawn.end()
    shown = screen.getvalue()
    assert "Roses" in shown and "sun" in shown and "The end." in shown
    assert "**" not in shown and "```py\n" not in shown


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_what_is_closed_is_never_taken_back(size: int) -> None:
    closed = 0
    for end in range(size, len(TEXT) + size, size):
        found = closed_length(TEXT[:end])
        assert found >= closed
        closed = found
    assert TEXT[closed:] == "The end."


def test_a_block_of_code_and_a_list_stay_whole() -> None:
    assert closed_length("```\na\n\nb") == 0
    assert closed_length("- one\n\n  more") == 0
    assert closed_length("one\n\ntwo") == 5
