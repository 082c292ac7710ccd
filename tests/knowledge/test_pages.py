"""`knowledge.pages`: the text of a fetched page."""

import pytest

from engine.tools.builtin.base import ToolFailed
from knowledge.pages import text_of_html


async def test_it_works() -> None:
    head = b"<title>Shop</title><nav>Menu</nav><h1>Refunds</h1>"
    page = head + b"<p>Within five days.<script>x</script>"
    text = await text_of_html(page)
    assert text.startswith("Shop\n\n")
    assert "Within five days." in text
    assert "Menu" not in text and "script" not in text


async def test_a_long_page_is_told_once() -> None:
    words = [f"word{number}" for number in range(3000)]
    text = await text_of_html("".join(f"<p>{word}</p>" for word in words).encode())
    assert [word for word in text.split() if word.startswith("word")] == words


async def test_a_page_without_text_says_so() -> None:
    with pytest.raises(ToolFailed):
        await text_of_html(b"<script>x</script>")
