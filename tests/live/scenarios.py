"""What may happen to conversations, as Hypothesis draws it."""

from dataclasses import dataclass

from hypothesis import strategies as st

MODES = ["text"] * 8 + ["thinking", "redacted", "unknown", "empty", "tool tool=weather pre=3"]
MODES += ["error", "drop", "truncate", "malformed", "nostop", "http status=400"]
MODES += ["refuse times=1", "stall stall=200", "stall stall=200 ping_ms=20"]
DOORS = ["ws", "sse"]
SCOPES = ["own", "stop", "run", "rest", "conversation", "conversation by rest"]

answers = st.builds(
    "mode={} content={} tokens={} at={} delay={} cached={} split={}".format,
    st.sampled_from(MODES),
    st.sampled_from(["words", "unicode", "json"]),
    st.integers(0, 40),
    st.integers(0, 40),
    st.integers(0, 4),
    st.sampled_from([0, 7]),
    st.sampled_from([0, 0, 5]),
)
cuts = st.lists(st.integers(-1, 30), max_size=3)
"""After so many more tokens each connection is reset; -1: before any event."""
waits = st.integers(0, 40)
"""Tokens of a run that somebody waits for, or its end if it has fewer."""


@dataclass(frozen=True)
class Stop:
    """Somebody says stop. `own`, `stop`: the asker, on its socket; else another client."""

    scope: str
    after: int


@dataclass(frozen=True)
class Viewer:
    """A second watcher of a run: from its first event on, from the middle, or by a snapshot."""

    door: str
    after: int
    start: str
    merge: bool
    cuts: list[int]


@dataclass(frozen=True)
class Message:
    """Asked when so much of the answer before it has been seen. `twice`: by REST at the same
    moment, too, as a nervous client does."""

    answer: str
    door: str
    if_busy: str
    on_disconnect: str
    after: int
    twice: bool
    cuts: list[int]
    stop: Stop | None
    viewers: list[Viewer]


@dataclass(frozen=True)
class Follower:
    """Somebody who wants all of a conversation: a subscription, or a stream of it."""

    door: str
    cuts: list[int]


@dataclass(frozen=True)
class Talk:
    """One conversation. Its key is revoked after so many events, if it is one of those."""

    messages: list[Message]
    followers: list[Follower]
    revoked: int | None


@dataclass(frozen=True)
class Scenario:
    """Conversations at the same time, and what happens to the server after so many events."""

    talks: list[Talk]
    fault: str | None
    after: int


viewers = st.builds(
    Viewer,
    door=st.sampled_from(DOORS),
    after=waits,
    start=st.sampled_from(["first", "middle", "snapshot"]),
    merge=st.booleans(),
    cuts=cuts,
)
messages = st.builds(
    Message,
    answer=answers,
    door=st.sampled_from(DOORS),
    if_busy=st.sampled_from(["queue", "queue", "reject", "interrupt"]),
    on_disconnect=st.sampled_from(["continue", "continue", "cancel"]),
    after=waits,
    twice=st.sampled_from([False, False, True]),
    cuts=cuts,
    stop=st.none() | st.builds(Stop, scope=st.sampled_from(SCOPES), after=waits),
    viewers=st.lists(viewers, max_size=2),
)
talks = st.builds(
    Talk,
    messages=st.lists(messages, min_size=1, max_size=4),
    followers=st.lists(
        st.builds(Follower, door=st.sampled_from(DOORS), cuts=st.lists(st.integers(0, 60))),
        max_size=2,
    ),
    revoked=st.none(),
)
revoked = st.builds(
    Talk,
    messages=st.lists(
        st.builds(
            Message,
            answer=st.just("tokens=400 delay=5"),  # the command that revokes takes its time
            door=st.sampled_from(DOORS),
            if_busy=st.sampled_from(["queue", "interrupt"]),
            on_disconnect=st.just("continue"),
            after=waits,
            twice=st.booleans(),
            cuts=cuts,
            stop=st.none(),
            viewers=st.lists(viewers, max_size=1),
        ),
        min_size=1,
        max_size=3,
    ),
    followers=st.just([]),
    revoked=st.integers(0, 40),
)
scenarios = st.builds(
    Scenario,
    talks=st.lists(st.one_of([talks] * 12 + [revoked]), min_size=1, max_size=4),
    fault=st.sampled_from([None, None, None, "kill", "term"]),
    after=st.integers(0, 400),
)
