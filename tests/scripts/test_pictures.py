"""The pictures that the README and the widget's page show are those that the script makes."""

import re
from xml.etree import ElementTree

from scripts.pictures import MODEL, OPTIONS, TERMINAL, WIDGET, model, options, terminal
from tests.documents import ROOT, read

SVG = "{http://www.w3.org/2000/svg}"
MAX_BYTES = 120_000  # a README is read over slow lines, too


def test_it_works() -> None:
    """Each is there, is shown once, and says in words what it shows."""
    shown = re.findall(r"!\[([^]]+)\]\((\S+)\)", read("README.md"))
    assert [ROOT / path for _, path in shown] == [WIDGET, TERMINAL, MODEL]
    assert all(len(words) > 40 for words, _ in shown)


def test_each_setting_of_the_widget_has_a_picture() -> None:
    shown = re.findall(r"!\[([^]]+)\]\(pictures/options/([\w-]+)\.png\)", read("docs/widget.md"))
    assert [name for _, name in shown] == list(options.OPTIONS)
    assert {path.stem for path in OPTIONS.iterdir()} == set(options.OPTIONS)
    assert all(len(words) > 20 for words, _ in shown)


def test_they_are_small() -> None:
    for path in (WIDGET, TERMINAL, MODEL, *OPTIONS.glob("*.png")):
        assert 0 < path.stat().st_size < MAX_BYTES, path.name


def test_the_terminal_shows_what_the_readme_says_and_no_key() -> None:
    lines = [text.text or "" for text in ElementTree.parse(TERMINAL).iter(f"{SVG}text")]
    assert "$ make run" in lines
    assert any("Last-Event-ID" in line for line in lines)
    assert terminal.PATH in read("README.md")
    assert set(re.findall(r"claw_live_\w+", "\n".join(lines))) == {terminal.KEY.strip(".")}


def test_the_model_s_terminal_has_an_answer() -> None:
    start, _, _, ask, *answer = [
        text.text or "" for text in ElementTree.parse(MODEL).iter(f"{SVG}text")
    ]
    assert (start, ask) == (model.START, model.ASK)
    assert len(" ".join(answer)) > 40


def test_a_long_line_is_cut_and_markup_is_text() -> None:
    drawn = terminal.svg(["$ <b> & x", "", "y" * 500])
    first, second = ElementTree.fromstring(drawn).iter(f"{SVG}text")
    assert first.text == "$ <b> & x"
    assert second.text == "y" * (terminal.COLUMNS - 1) + "…"
