"""`knowledge.extraction.texts`."""

import pytest

from knowledge.extraction.texts import decoded, read_csv, read_markdown, read_text


def test_it_works():
    assert [block.text for block in read_text(b"One.\r\nMore.\r\n\r\nTwo.")] == [
        "One.\nMore.",
        "Two.",
    ]


def test_markdown_has_headings_and_code():
    blocks = read_markdown(b"# A #\none\ntwo\n\n## B\n```\n# code\n\nmore\n```\nthree")
    assert [(block.level, block.text) for block in blocks] == [
        (1, "A"),
        (0, "one\ntwo"),
        (2, "B"),
        (0, "```\n# code\nmore\n```\nthree"),
    ]


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_a_row_says_what_its_values_mean(sign):
    data = f'name{sign}price\nTea{sign}3\n{sign}\n"a{sign}b"{sign}4{sign}x\n'.encode()
    assert [block.text for block in read_csv(data)] == [
        "name: Tea; price: 3",
        f"name: a{sign}b; price: 4; x",
    ]


@pytest.mark.parametrize(
    "content", ["Grüße".encode(x) for x in ("utf-8", "utf-8-sig", "utf-16", "cp1252")]
)
def test_any_common_encoding_is_read(content):
    assert decoded(content) == "Grüße"
