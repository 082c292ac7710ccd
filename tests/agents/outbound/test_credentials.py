"""`agents.outbound.credentials`: whose key goes where."""

from dataclasses import asdict, replace

import pytest

from accounts.models import Secret
from agents.caller import AgentConfig
from agents.outbound.credentials import DEMO, at_present, provider_access
from core.database import database_step
from engine.errors import ClawError
from engine.providers.registry import PROVIDERS


@pytest.fixture(autouse=True)
def platform(settings):
    settings.ANTHROPIC_API_KEY = "sk-ant-platform"
    settings.ANTHROPIC_BASE_URL = "http://127.0.0.1:9"
    settings.CLAW_PLATFORM_CREDENTIALS = "command"


@pytest.fixture
def enabled(agent):
    """The agent, asked of Anthropic on the operator's account."""
    return replace(AgentConfig.of(agent), provider="anthropic", platform_credentials=True)


@pytest.fixture
def chatty(enabled, settings):
    """The same, asked of a server of the operator's that speaks OpenAI's API."""
    settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL = "sk-platform", "http://127.0.0.1:9/v1"
    return replace(enabled, provider="openai", model="gpt-5.5")


@pytest.fixture
def own(acme):
    return Secret.objects.create(organization=acme, name="anthropic", value="sk-ant-own")


async def test_it_works(enabled):
    access = await provider_access(enabled)

    assert (access.provider, access.model) == ("anthropic", PROVIDERS["anthropic"].default_model)
    assert (access.api_key, access.base_url) == ("sk-ant-platform", "http://127.0.0.1:9")
    assert not access.guarded


async def test_what_an_agent_chooses_not_is_the_operator_s_model(chatty, own, settings):
    settings.OPENAI_MODEL, auto = "qwen3", replace(chatty, provider="auto", model="")
    assert (await provider_access(auto)).provider == "anthropic"
    settings.ANTHROPIC_API_KEY = ""
    access = await provider_access(auto)
    assert (access.provider, access.model) == ("openai", "qwen3")
    assert (access.api_key, access.base_url) == ("sk-platform", "http://127.0.0.1:9/v1")
    assert await provider_access(replace(auto, platform_credentials=False)) == DEMO
    with_key = await provider_access(replace(auto, credential_id=own.id))
    assert (with_key.provider, with_key.api_key) == ("anthropic", "sk-ant-own")


async def test_who_pays_is_not_fixed_while_a_run_waits(enabled, acme):
    acme.platform_credentials = True
    await database_step(acme.save)
    assert await at_present(enabled) == enabled
    acme.platform_credentials = False
    await database_step(acme.save)
    with pytest.raises(ClawError, match="no model credentials"):
        await provider_access(await at_present(enabled))


async def test_the_organisation_s_own_key_wins(enabled, own):
    access = await provider_access(replace(enabled, credential_id=own.id, model="claude-x"))

    assert (access.api_key, access.model) == ("sk-ant-own", "claude-x")
    assert not access.guarded


async def test_an_address_of_the_tenant_is_guarded_and_gets_the_tenant_s_key(enabled, own):
    access = await provider_access(
        replace(enabled, credential_id=own.id, base_url="https://model.example")
    )

    assert access.api_key == "sk-ant-own"
    assert (access.base_url, access.guarded) == ("https://model.example", True)


@pytest.mark.parametrize(
    "change",
    [
        {"base_url": "https://evil.example"},
        {"platform_credentials": False},
        {"credential_id": "sec_missing"},
        {"credential_id": "sec_missing", "base_url": "https://evil.example"},
    ],
)
async def test_the_operator_s_key_goes_nowhere_else(enabled, change):
    with pytest.raises(ClawError, match="no model credentials"):
        await provider_access(replace(enabled, **change))


@pytest.mark.parametrize("change", [{"platform_credentials": False}, {"credential_id": "sec_no"}])
async def test_without_credentials_auto_is_the_demo(enabled, change):
    auto = replace(enabled, provider="auto", **change)
    assert await provider_access(auto) == DEMO
    with pytest.raises(ClawError, match="no model credentials"):  # it was told whom to ask
        await provider_access(replace(auto, base_url="https://model.example"))


async def test_p24_a_foreign_secret_is_no_credential(enabled, globex):
    theirs = Secret(organization=globex, name="theirs", value="sk-ant-theirs")
    await theirs.asave()

    with pytest.raises(ClawError):
        await provider_access(replace(enabled, credential_id=theirs.id))


async def test_openai_works_alike(chatty, own):
    access = await provider_access(chatty)
    assert (access.provider, access.model, access.guarded) == ("openai", "gpt-5.5", False)
    assert (access.api_key, access.base_url) == ("sk-platform", "http://127.0.0.1:9/v1")

    theirs = replace(chatty, credential_id=own.id, base_url="https://model.example/v1")
    access = await provider_access(theirs)
    assert (access.api_key, access.base_url) == ("sk-ant-own", "https://model.example/v1")
    assert access.guarded


async def test_the_operator_s_server_may_want_no_key(chatty, settings):
    settings.OPENAI_API_KEY = ""
    assert (await provider_access(chatty)).api_key == ""

    settings.OPENAI_BASE_URL = ""
    with pytest.raises(ClawError, match="no model credentials"):
        await provider_access(chatty)


async def test_a_server_of_the_tenant_gets_no_key_but_its_own(chatty):
    access = await provider_access(replace(chatty, base_url="http://ollama:11434/v1"))
    assert (access.api_key, access.guarded) == ("", True)


@pytest.mark.parametrize(
    "change", [{"platform_credentials": False}, {"credential_id": "sec_missing"}]
)
async def test_nobody_else_gets_to_the_operator_s_server(chatty, change):
    with pytest.raises(ClawError, match="no model credentials"):
        await provider_access(replace(chatty, **change))


async def test_a_key_of_their_own_does_not_lead_to_the_operator_s_server(chatty, own):
    stranger = replace(chatty, platform_credentials=False, credential_id=own.id)
    access = await provider_access(stranger)
    assert (access.api_key, access.base_url) == ("sk-ant-own", None)


async def test_auto_is_decided_per_run(enabled, settings):
    auto = replace(enabled, provider="auto", model="claude-x")
    assert (await provider_access(auto)).provider == "anthropic"

    settings.ANTHROPIC_API_KEY = ""
    assert await provider_access(auto) == DEMO


async def test_the_demo_needs_nothing(agent):
    assert await provider_access(AgentConfig.of(agent)) == DEMO


async def test_p30_no_representation_shows_a_key(enabled):
    assert "sk-ant" not in repr(await provider_access(enabled))


def test_an_agent_s_snapshot_survives_being_stored(enabled):
    assert AgentConfig.stored(asdict(enabled)) == enabled
