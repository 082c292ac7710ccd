"""`console.urls`: the navigation leads each member to the pages that open for them."""

import re

import pytest

from accounts.models import Membership, User
from agents.auth.members import SCOPES_OF_ROLE
from console.urls import SECTIONS
from tests.console.pages import ROLES


@pytest.mark.parametrize("role", ROLES)
def test_the_navigation_leads_to_what_a_role_opens(client, acme, role):
    user = User.objects.create_user("some@example.com", "correct horse")
    Membership.objects.create(organization=acme, user=user, role=role)
    client.force_login(user)

    page = client.get("/console/acme/").content.decode()
    shown = re.findall(r'<a href="([^"]+)" data-section="(\w+)"', page)

    opened = [section.name for section in SECTIONS if section.scope in SCOPES_OF_ROLE[role]]
    assert [name for _, name in shown] == opened
    assert opened and all(client.get(address).status_code == 200 for address, _ in shown)
