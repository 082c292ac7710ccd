"""docs/models.md: what it shows to copy is taken as it stands there."""

import shlex

import pytest
from django.core.management import call_command

from agents.caller import AgentConfig
from agents.models import Agent, provider_choices
from agents.outbound.credentials import provider_access
from core.database import database_step
from tests.documents import Code, code, read, section

PAGE = "docs/models.md"
COMMAND = [".venv/bin/python", "manage.py", "create_agent"]
SERVERS = {"Ollama", "vLLM", "llama.cpp", "OpenAI", "Google Gemini"}


def lines_of(server: str, language: str) -> list[str]:
    shown = section(PAGE, server)
    return [line for block in code(PAGE, language) if block.text in shown for line in lines(block)]


def lines(block: Code) -> list[str]:
    return block.text.splitlines()


def make_agent(line: str) -> Agent:
    words = shlex.split(line)
    assert words[:3] == COMMAND
    call_command("create_org", "Demo")
    call_command(*words[2:])
    return Agent.objects.select_related("organization").get()


@pytest.mark.parametrize("server", sorted(SERVERS))
async def test_it_works_for_every_server(transactional_db, settings, capsys, server):
    for line in lines_of(server, "env"):
        name, _, value = line.partition("=")
        setattr(settings, name, value)
    (command,) = lines_of(server, "sh")
    agent = await database_step(make_agent, command)

    access = await provider_access(AgentConfig.of(agent))
    assert (access.provider, access.model) == ("openai", agent.model)
    assert access.base_url == (settings.OPENAI_BASE_URL or None)
    assert (access.api_key, access.guarded) == (settings.OPENAI_API_KEY, False)


def test_every_provider_is_in_the_table():
    assert all(f"| `{provider}` |" in read(PAGE) for provider, _ in provider_choices())


async def test_an_agent_of_its_own_server_is_guarded(transactional_db, capsys):
    (command,) = [line for block in code(PAGE, "sh") for line in lines(block) if "base-url" in line]
    agent = await database_step(make_agent, command)

    access = await provider_access(AgentConfig.of(agent))
    assert (access.base_url, access.api_key) == ("http://127.0.0.1:11434/v1", "")
    assert access.guarded
