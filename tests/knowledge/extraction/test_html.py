"""`knowledge.extraction.html`."""

from knowledge.extraction.html import read_html, title_of

PAGE = """<!doctype html><html><head><meta charset="iso-8859-1"><title> A
 page </title></head><body><nav>menu</nav><h1>Größe</h1><p>one <b>two</b><br>three
<script>x</script></p><ul><li>a</li><li>b</li></ul><!-- hidden -->tail
<footer>imprint</footer></body></html>""".encode("iso-8859-1")


def test_it_works():
    assert [(block.level, block.text) for block in read_html(PAGE)] == [
        (1, "Größe"),
        (0, "one two three"),
        (0, "a"),
        (0, "b"),
        (0, "tail"),
    ]
    assert title_of(PAGE) == "A page"


def test_a_page_without_a_title_has_none():
    assert title_of(b"<p>x") == ""


def test_deep_nesting_is_no_problem():
    assert read_html(b"<div>" * 50_000 + b"x") is not None
