"""The part that all pages of one agent show: its tabs, its version, and what is not published."""

from typing import Any

from agents.api import drafts
from agents.models import Agent
from agents.versions.access import drafted


def standing(agent: Agent, tab: str) -> dict[str, Any]:
    """The context of `agent_base.html`; `tab` is the name of the page."""
    return {
        "section": "agents",
        "tab": tab,
        "agent": agent,
        "unpublished": len(drafts.differing(agent, drafted(agent))),
    }
