"""`console.agents.differences`: two texts, side by side in lines."""

from console.agents.differences import MAX_LINES, Line, differences, lines
from wire.objects.versions import Change


def kinds(before, after):
    return "".join(
        {"old": "-", "new": "+", "same": "=", "gap": "~"}[one.kind] for one in lines(before, after)
    )


def test_it_works():
    [found] = differences([Change(field="baseUrl", before="a", after="b")])
    assert found.label == "Base url"
    assert found.lines == [Line("old", "a"), Line("new", "b")]


def test_far_lines_are_left_out():
    text = "\n".join(map(str, range(20)))
    assert kinds(text, text.replace("10", "ten")) == "~==-+=="
    assert kinds(text, text.replace("0\n", "zero\n", 1)) == "-+=="
    both = text.replace("0\n", "zero\n", 1).replace("15", "x")
    assert kinds(text, both) == "-+==~==-+=="


def test_other_values_are_shown_as_json():
    [found] = differences([Change(field="tools", before=[], after=[{"builtin": "calculator"}])])
    assert Line("new", '    "builtin": "calculator"') in found.lines
    assert kinds("", "") == ""


def test_very_long_texts_are_shown_whole():
    text = "x\n" * MAX_LINES
    assert kinds(text, text + "y") == "-" * MAX_LINES + "+" * (MAX_LINES + 1)
