"""Judges the path from visitors to the server by the times at which a stream arrived."""

from collections.abc import Iterator
from itertools import pairwise

from clawsite.doctor import fixes
from clawsite.doctor.finding import MAX_SKEW, Finding, problem, skewed, well
from clawsite.doctor.probe import Observation
from clawsite.operator.diagnostics import BEATS

COLLECTED = 0.3  # of the time it was sent in: less, and it did not stream at all
TOGETHER = 0.2  # of the pause between two beats: less, and they came as one
MAX_TOGETHER = 0.25  # of the beats: a network may join a few

ADDRESS = "Check the address; try again soon."
CERTIFICATE = (
    "Visitors' browsers must trust the certificate. If its authority is your own: "
    "SSL_CERT_FILE=/path/to/ca.pem manage.py doctor --url ..."
)


def check_path(observations: list[Observation], *, tls: bool) -> Iterator[Finding]:
    """Findings about both transports, and about what the proxies say of the visitor; `tls`: the
    address is an https one."""
    for seen in observations:
        yield from judge(seen)
    if starts := [seen.start for seen in observations if seen.start is not None]:
        yield from _visitor(starts[0], tls=tls)


def judge(seen: Observation) -> Iterator[Finding]:
    """Findings about one transport."""
    refused = _refused(seen)
    found = [refused] if refused else [*_compression(seen), *_rhythm(seen), *_silence(seen)]
    yield from found
    if seen.start is not None:
        yield from _clock(seen)
    if not found:
        silence = _silence_of(seen)
        yield well(
            seen.transport,
            f"{BEATS} beats came one by one, and {silence:.0f} s of silence did not cut it.",
        )


def _refused(seen: Observation) -> Finding | None:
    """The reason why there is no pattern to judge."""
    name, nothing = seen.transport, seen.start is None
    if name == "WebSocket" and seen.status not in (0, 101):
        message = f"The handshake was answered with {seen.status}: the upgrade did not get through."
        return Finding(name, False, message, fixes.UPGRADE)
    if seen.status in (0, 429) or (nothing and seen.status in (200, 101)):
        why = seen.error or ("too many diagnoses" if seen.status == 429 else "nothing came")
        fix = CERTIFICATE if "CERTIFICATE_VERIFY_FAILED" in why else ADDRESS
        return problem(name, f"It cannot be opened: {why}.", fix)
    if seen.status not in (200, 101):
        message = f"The answer was {seen.status}: this address does not lead to Clawsite."
        return problem(name, message, "Give the address of the installation, without a path.")
    return None


def _compression(seen: Observation) -> Iterator[Finding]:
    if seen.compression:
        message = f"It was compressed on the way ({seen.compression}): tokens wait for each other."
        yield Finding(seen.transport, False, message, fixes.COMPRESSION)


def _rhythm(seen: Observation) -> Iterator[Finding]:
    """Whether the beats came in the rhythm in which they were sent."""
    if len(seen.arrived) < 2:
        return
    sent = seen.sent[-1] - seen.sent[0]
    came = seen.arrived[-1] - seen.arrived[0]
    if came < sent * COLLECTED:
        message = f"It was collected: what was sent over {sent:.1f} s came within {came:.1f} s."
        yield Finding(seen.transport, False, message, fixes.BUFFERING)
        return
    together = _together(seen)
    if together > len(seen.arrived) * MAX_TOGETHER:
        message = f"Pieces were merged: {together} of {len(seen.arrived)} beats came with another."
        yield Finding(seen.transport, False, message, fixes.BUFFERING)


def _together(seen: Observation) -> int:
    """The number of beats that came with the one before, though they were sent apart."""
    apart = (after - before for before, after in pairwise(seen.sent))
    gaps = (after - before for before, after in pairwise(seen.arrived))
    return sum(gap < pause * TOGETHER for pause, gap in zip(apart, gaps, strict=True))


def _silence(seen: Observation) -> Iterator[Finding]:
    """Whether it was cut before its end."""
    if seen.complete:
        return
    if len(seen.arrived) < BEATS:
        why = f" ({seen.error})" if seen.error else ""
        message = f"It was cut after {len(seen.arrived)} of {BEATS} beats{why}."
    else:
        quiet = seen.asked + seen.lasted - seen.arrived[-1]
        normal = f"up to {_silence_of(seen):.0f} s are normal"
        message = f"It was cut after {quiet:.1f} s of silence; {normal}."
    yield Finding(seen.transport, False, message, fixes.IDLE)


def _clock(seen: Observation) -> Iterator[Finding]:
    """The server's clock, which showed `sentAt` at some moment between question and answer."""
    assert seen.start is not None
    there = seen.start["sentAt"] / 1000
    skew = there - min(max(there, seen.asked), seen.answered)
    if abs(skew) > MAX_SKEW:
        yield skewed(seen.transport, "the server", skew)


def _visitor(start: dict[str, str], *, tls: bool) -> Iterator[Finding]:
    if start["forwarding"] == "ignored":
        message = "X-Forwarded-For is not believed: all visitors share the address of the proxy."
        yield Finding("proxy", False, message, fixes.FORWARDING)
    elif tls and start["scheme"] not in ("https", "wss"):
        message = "The server does not learn that visitors use https: forms of the admin fail."
        yield Finding("proxy", False, message, fixes.FORWARDING)
    else:
        how = "through" if start["forwarding"] == "believed" else "without"
        yield well("proxy", f"Visitors come {how} a proxy, from addresses that the server knows.")


def _silence_of(seen: Observation) -> float:
    return float(seen.start["silenceMs"]) / 1000 if seen.start else 0.0
