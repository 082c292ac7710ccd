"""A process that writes a subject's life of a hundred events into a feed, one by one.

`python -m tests.conversations.feed.writing_process ORGANIZATION SUBJECT [REDIS_URL]`; without an
address of Redis, into the database of the settings."""

import asyncio
import sys

import django


async def write(organization_id: str, subject: str, redis_url: str = "") -> None:
    from conversations.feed.stores.local import DatabaseStore
    from conversations.feed.stores.redis import RedisStore
    from tests.conversations.feed.events import life

    store = RedisStore(redis_url, retention=600) if redis_url else DatabaseStore(retention=600)
    for number, event in enumerate(life(subject, 98), 1):
        await store.append(number, {organization_id: [event]})
    await store.aclose()


if __name__ == "__main__":
    django.setup()
    asyncio.run(write(*sys.argv[1:]))
