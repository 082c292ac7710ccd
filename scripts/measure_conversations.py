"""Measure the search of conversations, in a database that is dropped afterwards:

    DATABASE_URL=postgres://... python -m scripts.measure_conversations [MESSAGES]

Two organisations have the same number of messages. The words of the searches are of every
frequency (Zipf's law). What is measured is the request of the console's page, which shows 50
conversations."""

import os
import random
import statistics
import sys
import time
from collections.abc import Iterator

import django

MESSAGES_OF_CONVERSATION = 8
WORDS_OF_MESSAGE = 50
SEARCHES = 100


def main() -> None:
    """Fill the database and print the times of searches."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clawsite.settings")
    django.setup()
    from django.test.utils import setup_databases, setup_test_environment, teardown_databases

    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    setup_test_environment()
    made = setup_databases(verbosity=0, interactive=False)
    try:
        measure(count)
    finally:
        teardown_databases(made, verbosity=0)


def measure(count: int) -> None:
    """Print the times in milliseconds of searches of `count` messages of one organisation."""
    from django.db import connection

    organizations = [fill(name, count) for name in ("measured", "other")]
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    times = sorted(searches(organizations[0]))
    p95 = statistics.quantiles(times, n=20)[-1]
    print(
        f"{count} messages, {len(times)} searches: median {statistics.median(times):.1f} ms,"
        f" p95 {p95:.1f} ms, max {times[-1]:.1f} ms"
    )


def searches(organization: str) -> list[float]:
    """The times of searches for one, two and three words, by a member of the organisation."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client()
    client.force_login(get_user_model().objects.get(email=f"{organization}@example.com"))
    chance = random.Random(2)
    texts = _texts(random.Random(3))
    times = []
    for number in range(SEARCHES):
        q = " ".join(chance.sample(next(texts).split(), 1 + number % 3))
        began = time.perf_counter()
        answer = client.get(f"/console/{organization}/conversations/", {"q": q})
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200
    return times


def fill(name: str, count: int) -> str:
    """Store an organisation with an owner and `count` messages; returns its slug."""
    from allauth.account.models import EmailAddress
    from django.contrib.auth import get_user_model

    from accounts.models import Membership, Organization
    from agents.models import Agent
    from conversations.models import Conversation, Message

    organization = Organization.objects.create(name=name, slug=name)
    user = get_user_model().objects.create(email=f"{name}@example.com")
    Membership.objects.create(organization=organization, user=user, role="owner")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    agent = Agent.objects.create(organization=organization, name=name, slug=name)
    texts = _texts(random.Random(name))
    for begin in range(0, count, 1000):
        talks = [
            Conversation(organization=organization, agent=agent, owner=f"visitor:anon:{number}")
            for number in range(begin, min(begin + 1000, count), MESSAGES_OF_CONVERSATION)
        ]
        Conversation.objects.bulk_create(talks)
        Message.objects.bulk_create(
            Message(conversation=talk, role=role, content=next(texts))
            for talk in talks
            for role in ("user", "assistant") * (MESSAGES_OF_CONVERSATION // 2)
        )
    return organization.slug


def _texts(chance: random.Random) -> Iterator[str]:
    from scripts.measure_search import generated

    for text in generated(chance):
        yield " ".join(text.split()[:WORDS_OF_MESSAGE])


if __name__ == "__main__":
    main()
