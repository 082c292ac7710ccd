"""`alerts.access.notices`: each is told by one process, and tried again for a while."""

from collections.abc import Callable

from django.utils import timezone

from alerts.access import due, notices
from alerts.models import AlertRule, Notice


def test_it_works(rule: Callable[..., AlertRule]) -> None:
    due.settle(rule(emails=["ada@example.com"]), 2)
    feed, mail = notices.claim()
    assert notices.claim() == []
    notices.told(feed)
    assert notices.failed(mail)
    assert Notice.objects.get().due_at > timezone.now() + notices.LEASE


def test_it_is_given_up_in_the_end(rule: Callable[..., AlertRule]) -> None:
    due.settle(rule(), 2)
    (feed,) = notices.claim()
    tried = [notices.failed(feed) for _ in range(notices.MAX_ATTEMPTS)]
    assert tried == [True] * (notices.MAX_ATTEMPTS - 1) + [False]
    assert not Notice.objects.exists()
