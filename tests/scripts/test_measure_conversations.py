"""`scripts.measure_conversations`: what it measures."""

import pytest

from conversations.models import Message
from scripts.measure_conversations import SEARCHES, fill, searches


@pytest.mark.django_db
def test_it_works():
    slug = fill("measured", 40)
    assert Message.objects.count() == 40
    assert len(searches(slug)) == SEARCHES
