"""How a public page shows itself elsewhere: in a tab, in a search, where its address is shared
(https://ogp.me)."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urljoin, urlsplit

from msgspec import UnsetType

from agents.public.visited import VisitedAgent

MAX_DESCRIPTION = 200
"""Characters; nobody shows more of it."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """`icon` is empty for our own, `image` where there is none that others can fetch."""

    url: str
    description: str
    icon: str
    image: str

    @classmethod
    def of(cls, agent: VisitedAgent, url: str) -> Self:
        """From the agent's settings of its widget; without them from its greeting and avatar."""
        widget = agent.widget
        text = widget.share_text or agent.greeting
        pictures = [_said(each) for each in (widget.share_image, widget.avatar, widget.logo)]
        shared = [urljoin(url, each) for each in pictures if each and not each.startswith("data:")]
        return cls(
            url=url,
            description=" ".join(text.split())[:MAX_DESCRIPTION],
            icon=_said(widget.avatar),
            image=next(iter(shared), ""),
        )


def picture_hosts(agent: VisitedAgent) -> list[str]:
    """The origins from which its page shows pictures."""
    widget = agent.widget
    pictures = map(_said, (widget.avatar, widget.logo, widget.launcher_icon))
    parts = [urlsplit(each) for each in pictures if each.startswith("http")]
    return sorted({f"{part.scheme}://{part.netloc}" for part in parts})


def _said(value: str | UnsetType) -> str:
    return value if isinstance(value, str) else ""
