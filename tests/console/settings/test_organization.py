"""`console.settings.organization`: an organisation's name; who is shown how to delete it."""

import pytest

from accounts.models import Membership, Organization

PAGE = "/console/acme/settings/"


def test_it_works(client, alice):
    client.force_login(alice)
    assert "Delete organisation" in client.get(PAGE).content.decode()
    given = {"name": "Acme Ltd", "time_zone": "Europe/Berlin"}
    answer = client.post(PAGE, given, follow=True)
    assert "Saved: Acme Ltd, Europe/Berlin" in answer.content.decode()
    assert Organization.objects.values("name", "time_zone").get() == given


@pytest.mark.parametrize("name", ["", "Globex"])
def test_a_name_is_not_taken(client, alice, globex, name):
    client.force_login(alice)
    answer = client.post(PAGE, {"name": name, "time_zone": "UTC"})
    assert answer.status_code == 200 and 'class="errorlist"' in answer.content.decode()


def test_an_unknown_time_zone_is_named(client, alice):
    client.force_login(alice)
    answer = client.post(PAGE, {"name": "Acme", "time_zone": "Mars/Olympus"})
    assert answer.status_code == 200 and 'class="errorlist"' in answer.content.decode()


def test_an_admin_is_not_offered_to_delete_it(client, bob):
    Membership.objects.update(role="admin")
    client.force_login(bob)
    assert "Delete organisation" not in client.get(PAGE).content.decode()
