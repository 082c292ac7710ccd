"""`agents.public.card`: a public page in a tab, and where its address is shared."""

import pytest

from agents.models import Agent
from agents.public.card import MAX_DESCRIPTION, Card, picture_hosts
from agents.public.visited import VisitedAgent

HOME = "https://shop.agents.example/"
SMALL = "data:image/png;base64,AAAA"


def visited(agent: Agent, greeting: str = "", **widget: str) -> VisitedAgent:
    agent.greeting, agent.widget = greeting, widget
    return VisitedAgent.of(agent)


@pytest.mark.django_db
def test_it_works(agent: Agent) -> None:
    card = Card.of(visited(agent, "Hello,\n  how are you?"), HOME)
    assert card == Card(url=HOME, description="Hello, how are you?", icon="", image="")
    assert len(Card.of(visited(agent, "x" * 900), HOME).description) == MAX_DESCRIPTION


@pytest.mark.django_db
def test_a_picture_is_one_that_others_can_fetch(agent: Agent) -> None:
    """Small pictures in the settings themselves are an icon, but no address."""
    card = Card.of(visited(agent, avatar=SMALL, logo="/logo.png", shareText="Ask us"), HOME)
    assert (card.icon, card.image) == (SMALL, f"{HOME}logo.png")
    assert card.description == "Ask us"
    shared = visited(agent, avatar="https://a.example/a.png", shareImage="https://b.example/b.png")
    assert Card.of(shared, HOME).image == "https://b.example/b.png"


@pytest.mark.django_db
def test_only_hosts_of_its_pictures_are_let_in(agent: Agent) -> None:
    pictures = {"avatar": "https://a.example/a.png", "logo": "https://a.example/b.png"}
    assert picture_hosts(visited(agent, **pictures, launcherIcon="chat")) == ["https://a.example"]
    assert picture_hosts(visited(agent, avatar=SMALL, logo="/logo.png")) == []
