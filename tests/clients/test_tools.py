"""`clawsite_client.tools`: Python functions as tools."""

from clawsite_client.tools import tool_of


def weather(city: str, days: int = 1, units: list[str] | None = None) -> str:
    """The weather of a city."""
    return f"{city} {days} {units}"


def test_it_works() -> None:
    assert tool_of(weather).told == {
        "name": "weather",
        "description": "The weather of a city.",
        "inputSchema": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "units": {}},
            "required": ["city"],
        },
    }
    assert tool_of(tool_of(weather)) == tool_of(weather)
