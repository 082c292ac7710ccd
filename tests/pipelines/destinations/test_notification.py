"""`pipelines.destinations.notification`: messages as each channel takes them."""

import pytest
from django.core import mail

from accounts.access import store_secret
from core.database import database_step
from pipelines.destinations.notification import render
from pipelines.graph.items import Item
from tests.pipelines.destinations.test_analytics import opened
from tests.pipelines.receiver import receiving

TEMPLATE = "Agent {{agentName}} completed with {{tokens}} tokens"
ITEM = Item("run_1", {"agentName": "Helper", "tokens": 3.0}, 0)
SAID = "Agent Helper completed with 3 tokens"


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        ("slack", {"text": SAID}),
        ("discord", {"content": SAID, "allowed_mentions": {"parse": []}}),
        ("webhook", {"text": SAID}),
    ],
)
async def test_it_works(acme, private, channel, expected):
    async with receiving() as receiver:
        await database_step(store_secret, acme.pk, "HOOK", receiver.url)
        destination = opened(
            acme,
            "notification",
            channel=channel,
            webhook="${secrets.HOOK}",
            template=TEMPLATE,
        )
        await destination.send(ITEM)
        await destination.aclose()
    assert receiver.bodies == [expected]


async def test_teams_gets_a_card(acme, private):
    async with receiving() as receiver:
        destination = opened(
            acme, "notification", channel="teams", webhook=receiver.url, template=TEMPLATE
        )
        await destination.send(ITEM)
        await destination.aclose()
    (card,) = receiver.bodies[0]["attachments"]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert card["content"]["body"][0]["text"] == SAID


async def test_a_mail_has_a_line_for_each_member_of_a_batch(acme):
    destination = opened(
        acme, "notification", channel="email", to="ada@example.com", template="{{n}}"
    )
    await destination.send(Item("batch_1", {}, 0, 2, [("a", {"n": 1}), ("b", {"n": 2})]))
    (sent,) = mail.outbox
    assert (sent.to, sent.body) == (["ada@example.com"], "1\n2")


def test_a_template_shows_nothing_for_what_is_not_there():
    data = {"user": {"name": "Ada"}, "yes": True, "list": [1]}
    assert render("{{ user.name }}|{{a.b}}|{{yes}}|{{list}}|{x}", data) == "Ada||true|[1]|{x}"
