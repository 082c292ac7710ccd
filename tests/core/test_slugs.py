"""`core.slugs`: slugs for rows that were only given a name."""

from core.slugs import distinct, slug_of


def test_it_works() -> None:
    assert slug_of("My Agent", "agent") == "my-agent"
    assert slug_of("客服", "agent") == "agent"
    assert slug_of("x" * 99, "agent") == "x" * 50
    assert distinct("a") != distinct("a")
