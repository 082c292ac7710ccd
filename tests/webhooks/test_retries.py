"""`webhooks.retries`: for about a day, never all at the same moment."""

from datetime import timedelta

from webhooks.retries import DELAYS, delay, rest


def test_it_works():
    assert timedelta(hours=20) < sum(DELAYS, timedelta()) < timedelta(hours=24)
    assert delay(len(DELAYS)) is not None
    assert delay(len(DELAYS) + 1) is None


def test_what_fails_together_is_not_tried_again_together():
    assert len({delay(3) for _ in range(20)}) == 20
    assert all(timedelta(seconds=240) <= delay(3) <= timedelta(seconds=360) for _ in range(100))


def test_a_webhook_rests_longer_the_longer_it_fails_but_at_most_about_a_minute():
    assert rest(timedelta()) <= timedelta(seconds=6)
    assert timedelta(seconds=48) <= rest(timedelta(hours=9)) <= timedelta(seconds=72)
