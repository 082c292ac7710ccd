"""`agents.api.secrets`: names only, and only for an administrator."""

import json

import pytest

from accounts.models import Secret
from agents.api import secrets
from agents.auth import keys
from engine.errors import ClawError
from tests.agents.api import request
from tests.agents.callers import caller_of


@pytest.fixture
def admin(acme):
    return caller_of(keys.create_key(acme, name="a", scopes=["admin"])[0])


def test_it_works(admin, acme, globex):
    Secret.objects.create(organization=globex, name="CRM", value="theirs")
    body = {"name": "CRM", "value": "hush"}
    made = secrets.create(request(body), admin)
    assert made.status_code == 201 and b"hush" not in made.content
    (listed,) = json.loads(secrets.index(request(), admin).content)["secrets"]
    assert listed == json.loads(made.content)
    assert Secret.objects.get(organization=acme).value == "hush"

    secrets.create(request(body | {"value": "new"}), admin)
    assert Secret.objects.get(organization=acme).value == "new"

    assert secrets.remove(request(), admin, "CRM").status_code == 204
    assert [secret.organization for secret in Secret.objects.all()] == [globex]
    for name in ("CRM", "\0"):
        with pytest.raises(ClawError) as gone:
            secrets.remove(request(), admin, name)
        assert gone.value.code == "not_found"


def test_a_secret_that_a_model_call_needs_stays(admin, acme, agent):
    agent.credential = Secret.objects.create(organization=acme, name="MODEL", value="sk")
    agent.save()
    with pytest.raises(ClawError) as refused:
        secrets.remove(request(), admin, "MODEL")
    assert refused.value.code == "in_use"


@pytest.mark.parametrize("body", [{"name": "a b", "value": "x"}, {"name": "a", "value": ""}, {}])
def test_what_is_no_secret_is_refused(admin, body):
    with pytest.raises(ClawError) as refused:
        secrets.create(request(body), admin)
    assert refused.value.code == "invalid_message"


@pytest.mark.parametrize("scopes", [["agents:write"], ["admin"]])
def test_only_an_administrator_of_all_agents_may(acme, agent, scopes):
    opened = [agent] if "admin" in scopes else []
    caller = caller_of(keys.create_key(acme, name="k", scopes=scopes, agents=opened)[0])
    for view in (secrets.index, secrets.create):
        with pytest.raises(ClawError) as refused:
            view(request(), caller)
        assert refused.value.code == "forbidden"
