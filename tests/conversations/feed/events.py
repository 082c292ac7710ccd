"""Events of a feed for tests: subjects that open, go on and close."""

from conversations.feed.base import Event, Kept, Phase


def opened(subject: str) -> Event:
    return event(subject, Phase.OPENS, "run:started")


def went_on(subject: str, number: int = 0, size: int = 0) -> Event:
    return event(subject, Phase.GOES_ON, "run:status_changed", f'{{"n":{number}}}'.ljust(size))


def closed(subject: str) -> Event:
    return event(subject, Phase.CLOSES, "run:completed")


def event(subject: str, phase: Phase, type_: str, data: str = "{}") -> Event:
    return Event(type_, "agt_1", subject, phase, data.encode())


def life(subject: str, events: int = 1) -> list[Event]:
    """A subject from its beginning to its end."""
    return [opened(subject), *(went_on(subject, n) for n in range(events)), closed(subject)]


def events(kept: list[Kept]) -> list[Event]:
    return [one.event for one in kept]
