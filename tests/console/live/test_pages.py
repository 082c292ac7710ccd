"""`console.live.pages`: the page that follows the command center."""

from accounts.models import Membership, User


def test_it_works(client, alice, agent):
    client.force_login(alice)
    answer = client.get("/console/acme/live/")
    page = answer.content.decode()
    assert f'<option value="{agent.slug}">{agent.name}</option>' in page
    assert "data-stop" in page and "data-approve" in page


def test_a_viewer_sees_it_and_may_do_nothing(client, acme):
    user = User.objects.create_user("some@example.com", "correct horse")
    Membership.objects.create(organization=acme, user=user, role="viewer")
    client.force_login(user)
    page = client.get("/console/acme/live/").content.decode()
    root = page[page.index("data-live") :].partition(">")[0]
    assert "data-stop" not in root and "data-approve" not in root
