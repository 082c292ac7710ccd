"""`files.accepts`."""

import pytest

from files.accepts import ALL, TEXT, accepted_kinds, kind_of


@pytest.mark.parametrize(
    ("provider", "model", "kinds"),
    [
        ("anthropic", "claude-sonnet-5-5", ALL),
        ("anthropic", "m", TEXT),
        ("openai", "gpt-4o-mini", ALL),
        ("openai", "gemini-3-pro", ALL),
        ("openai", "o4-mini", ALL),
        ("openai", "llava:7b", TEXT | {"image"}),
        ("openai", "qwen2.5-vl", TEXT | {"image"}),
        ("openai", "gpt-3.5-turbo", TEXT),
        ("openai", "llama3.3", TEXT),
        ("demo", "demo", ALL),
    ],
)
def test_it_works(provider, model, kinds):
    assert accepted_kinds(provider, model) == kinds


def test_the_kind_of_a_media_type():
    kinds = [kind_of(each) for each in ("image/png", "application/pdf", "text/plain")]
    assert kinds == ["image", "pdf", "text"]
