"""`clawsite.doctor.path`: what is concluded from when the pattern was sent and arrived."""

from typing import Any

import pytest

from clawsite.doctor.finding import Finding
from clawsite.doctor.path import check_path, judge
from clawsite.doctor.probe import Observation
from clawsite.operator.diagnostics import BEATS, PAUSE

NOW = 1_795_000_000.0
SENT = [NOW + PAUSE * beat for beat in range(1, BEATS + 1)]


def seen(arrived: list[float] | None = None, **fields: Any) -> Observation:
    """A faultless observation, but for these fields."""
    start = {"sentAt": NOW * 1000, "silenceMs": 15000, "scheme": "https", "forwarding": "believed"}
    return Observation(
        **{
            "transport": "event stream",
            "status": 200,
            "asked": NOW - 0.1,
            "answered": NOW + 0.1,
            "start": start,
            "sent": SENT,
            "arrived": [sent + 0.02 for sent in SENT] if arrived is None else arrived,
            "complete": True,
            "lasted": 17.0,
            **fields,
        }
    )


def only(observation: Observation) -> Finding:
    """The one thing that is wrong."""
    (found,) = (finding for finding in judge(observation) if not finding.ok)
    return found


def test_it_works() -> None:
    (found,) = judge(seen())
    assert found.ok
    assert "15 s of silence" in found.message


def test_what_comes_all_at_once_was_collected() -> None:
    end = SENT[-1] + 15
    assert "collected" in only(seen([end + beat / 1000 for beat in range(BEATS)])).message


def test_pairs_were_merged() -> None:
    pairs = [SENT[beat | 1] + 0.02 for beat in range(BEATS)]
    found = only(seen(pairs))
    assert "10 of 20 beats" in found.message
    assert "proxy_buffering off;" in found.fixes["nginx"]


def test_what_the_server_itself_sent_together_was_not_merged() -> None:
    halting = [SENT[beat - beat % 4] for beat in range(BEATS)]
    assert [found.ok for found in judge(seen([at + 0.02 for at in halting], sent=halting))] == [
        True
    ]


def test_a_slow_but_steady_path_is_fine() -> None:
    assert [found.ok for found in judge(seen([at + 3 for at in SENT]))] == [True]


def test_a_cut_in_the_silence_says_how_long_it_was() -> None:
    found = only(seen(complete=False, lasted=SENT[-1] + 10.02 - NOW + 0.1))
    assert "after 10.0 s of silence; up to 15 s" in found.message
    assert "proxy_read_timeout" in found.fixes["nginx"]


def test_a_cut_between_beats_says_how_many_came() -> None:
    found = only(seen(SENT[:7], sent=SENT[:7], complete=False, error="reset"))
    assert "after 7 of 20 beats (reset)" in found.message


def test_compression_is_found() -> None:
    assert "gzip" in only(seen(compression="gzip")).message


@pytest.mark.parametrize("status", [200, 400, 404, 426, 502])
def test_a_handshake_without_an_upgrade_is_found(status: int) -> None:
    found = only(seen(transport="WebSocket", status=status, start=None))
    assert str(status) in found.message
    assert "Upgrade" in found.fixes["nginx"]


def test_a_stream_that_says_nothing_is_found() -> None:
    found = only(seen(start=None, sent=[], arrived=[], error="it took too long"))
    assert "it took too long" in found.message


@pytest.mark.parametrize(("ours", "skew"), [(-60.0, "+59.9"), (60.0, "-59.9")])
def test_a_clock_that_differs_is_found(ours: float, skew: str) -> None:
    found = only(seen(asked=NOW + ours - 0.1, answered=NOW + ours + 0.1))
    assert f"{skew} s" in found.message


def test_slow_answers_are_no_skew() -> None:
    assert [found.ok for found in judge(seen(asked=NOW - 20, answered=NOW + 20))] == [True]


@pytest.mark.parametrize(
    ("start", "tls", "ok"),
    [
        ({"forwarding": "believed", "scheme": "https"}, True, True),
        ({"forwarding": "believed", "scheme": "http"}, True, False),
        ({"forwarding": "ignored", "scheme": "http"}, False, False),
        ({"forwarding": "none", "scheme": "http"}, False, True),
        ({"forwarding": "none", "scheme": "http"}, True, False),
    ],
)
def test_the_server_has_to_learn_who_visits_and_how(start: Any, tls: bool, ok: bool) -> None:
    observed = seen()
    assert observed.start is not None
    observed.start |= start
    *_, found = check_path([observed], tls=tls)
    assert (found.check, found.ok) == ("proxy", ok)


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate", "SSL_CERT_FILE"),
        ("[Errno 111] Connection refused", "Check the address"),
    ],
)
def test_an_address_that_cannot_be_opened(error: str, fix: str) -> None:
    found = only(seen(start=None, status=0, error=error))
    assert error in found.message
    assert fix in found.fixes["fix"]
