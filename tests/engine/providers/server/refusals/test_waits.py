import pytest

from engine.providers.server.refusals.waits import MAX_WAIT, header_wait, parse_wait, spoken_wait

NOW = 1_790_000_000.0  # Mon, 21 Sep 2026 14:13:20 GMT


def test_it_works() -> None:
    assert header_wait({"retry-after": "2"}, NOW) == 2000


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [
        ("", None),
        ("0", 0),
        ("2", 2000),
        (" 2 ", 2000),
        ("1.5", 1500),
        ("0.0001", 1),
        ("13s", 13_000),
        ("6m0s", 360_000),
        ("1h2m3.5s", 3_600_000),
        ("250ms", 250),
        ("2 minutes", 120_000),
        ("1 min, 30 sec", 90_000),
        ("99999999999999999999", MAX_WAIT),
        ("Mon, 21 Sep 2026 14:13:30 GMT", 10_000),
        ("Monday, 21-Sep-26 14:13:30 GMT", 10_000),
        ("Mon Sep 21 14:13:30 2026", 10_000),
        ("Mon, 21 Sep 2020 14:13:30 GMT", 0),
        ("1790000010", 10_000),
        ("1790000010000", 10_000),
        ("-1", None),
        ("+3", 3000),
        ('"7"', 7000),
        ("7, 7", 7000),
        ("7;x=1", 7000),
        ("2026-09-21T14:13:30Z", 10_000),
        ("2026-09-21T16:13:30.5+02:00", 10_500),
        ("2026-09-21 14:13:30", None),
        ("4e1", 40_000),
        ("1.5E+1", 15_000),
        ("1e9", 0),
        ("1e99", MAX_WAIT),
        ("e1", None),
        (".5", 500),
        ("PT45S", 45_000),
        ("pt1m30s", 90_000),
        ("PT0,5S", 500),
        ("PT45S, PT45S", 45_000),
        ("P1DT2H", MAX_WAIT),
        ("P1W", MAX_WAIT),
        ("P1Y", None),
        ("P", None),
        ("PT", None),
        ("PT45", None),
        ("00:00:45", 45_000),
        ("0:01:02.5", 62_500),
        ("00:61:00", None),
        ("nan", None),
        ("inf", None),
        ("²", None),
        ("soon", None),
        ("Fri,20Nov2026", None),
        ("2026", 2_026_000),
    ],
)
def test_every_form_of_a_wait(value: str, milliseconds: int | None) -> None:
    assert parse_wait(value, NOW) == milliseconds


@pytest.mark.parametrize(
    ("headers", "milliseconds"),
    [
        ({}, None),
        ({"retry-after-ms": "250.2", "retry-after": "1"}, 251),
        ({"x-ms-retry-after-ms": "400"}, 400),
        ({"retry-after-ms": "soon", "retry-after": "1"}, 1000),
        (
            {
                "date": "Mon, 21 Sep 2020 10:00:00 GMT",
                "retry-after": "Mon, 21 Sep 2020 10:00:07 GMT",
            },
            7000,
        ),
        ({"x-ratelimit-reset-requests": "6m0s"}, None),
        ({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "6m0s"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, 360_000),
        (
            {
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "20ms",
            },
            1000,
        ),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1790000004000"}, 4000),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "12"}, 12_000),
    ],
)
def test_the_headers_that_name_one(headers: dict[str, str], milliseconds: int | None) -> None:
    """A limit that is not used up is no reason to wait; a date counts by the server's own clock."""
    assert header_wait(headers, NOW) == milliseconds


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("Rate limit reached. Please try again in 7.66s. Visit us.", 7660),
        ("Please retry after 26 seconds.", 26_000),
        ("Please wait 1 minute before you go on", 60_000),
        ("Please try again in 6m0s.", 360_000),
        ("Please retry after PT30S.", 30_000),
        ("Please try again later.", None),
        ("The limit is 30 requests in 60 s", None),
    ],
)
def test_a_wait_within_a_sentence(text: str, milliseconds: int | None) -> None:
    assert spoken_wait(text) == milliseconds
