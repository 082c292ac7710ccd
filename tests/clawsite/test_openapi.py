"""The description of this installation's API, and its copy in the documents."""

from pathlib import Path

import jsonschema_rs
import pytest
import schemathesis
from django.core.management import call_command
from django.urls import get_resolver

from agents.models import Agent, provider_choices
from clawsite.openapi import OPERATIONS, openapi
from tests.live.belongings import NAMES, Belongings

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


def test_it_works() -> None:
    whole = openapi()
    assert whole["openapi"] == "3.1.0"
    assert "/api/runs/{runId}/events" in whole["paths"]


@pytest.mark.parametrize("prefix", ["api/", "v1/"])
def test_every_address_of_the_api_is_in_it(prefix: str) -> None:
    (served,) = (
        {str(each.pattern) for each in mounted.url_patterns}
        for mounted in get_resolver("clawsite.api_urls").url_patterns
        if str(mounted.pattern) == prefix
    )
    described = [operation for operation in OPERATIONS if operation.prefix == f"/{prefix}"]
    assert served == {operation.path for operation in described}


def test_every_name_is_unique() -> None:
    names = [operation.name for operation in OPERATIONS]
    assert len(set(names)) == len(names)


def test_tests_have_something_for_every_variable_of_an_address() -> None:
    own = Belongings(dict.fromkeys(NAMES, "1"))
    for path in openapi()["paths"]:
        own.address(path)


def test_it_is_valid_openapi() -> None:
    schemathesis.openapi.from_dict(openapi()).validate()


def test_every_schema_is_one() -> None:
    whole = openapi()
    for name in whole["components"]["schemas"]:
        reference = {"$ref": f"#/components/schemas/{name}", "components": whole["components"]}
        jsonschema_rs.validator_for(reference)


@pytest.mark.parametrize(
    ("field", "choices"),
    [
        ("provider", [name for name, _ in provider_choices()]),
        ("ifBusy", Agent.IfBusy.values),
        ("onDisconnect", Agent.OnDisconnect.values),
    ],
)
def test_what_may_be_chosen_of_an_agent_is_what_its_model_takes(
    field: str, choices: list[str]
) -> None:
    fields = openapi()["components"]["schemas"]["AgentFields"]["properties"]
    assert fields[field]["enum"] == choices


def test_the_copy_in_the_documents_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    """`manage.py export_openapi > docs/openapi.json` writes it."""
    call_command("export_openapi")
    assert PUBLISHED.read_text("utf-8") == capsys.readouterr().out
