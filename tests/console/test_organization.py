"""`console.organization`: an organisation's name; who is shown how to delete it."""

import pytest

from accounts.models import Membership, Organization

PAGE = "/console/acme/settings/"


def test_it_works(client, alice):
    client.force_login(alice)
    assert "Delete organisation" in client.get(PAGE).content.decode()
    answer = client.post(PAGE, {"name": "Acme Ltd"}, follow=True)
    assert "is called Acme Ltd" in answer.content.decode()
    assert Organization.objects.get().name == "Acme Ltd"


@pytest.mark.parametrize("name", ["", "Globex"])
def test_a_name_is_not_taken(client, alice, globex, name):
    client.force_login(alice)
    answer = client.post(PAGE, {"name": name})
    assert answer.status_code == 200 and 'class="errorlist"' in answer.content.decode()


def test_an_admin_is_not_offered_to_delete_it(client, bob):
    Membership.objects.update(role="admin")
    client.force_login(bob)
    assert "Delete organisation" not in client.get(PAGE).content.decode()
