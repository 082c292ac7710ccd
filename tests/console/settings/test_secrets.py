"""`console.secrets`: names without values."""

from accounts.access import store_secret

PAGE = "/console/acme/settings/secrets/"


def test_it_works(client, alice, acme, globex):
    client.force_login(alice)
    assert "No secrets yet" in client.get(PAGE).content.decode()
    store_secret(acme.id, "CRM", "hush-hush")
    store_secret(globex.id, "SPY", "theirs")
    page = client.get(PAGE).content.decode()
    assert "CRM" in page and "hush-hush" not in page and "SPY" not in page
