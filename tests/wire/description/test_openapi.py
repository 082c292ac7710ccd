"""`wire.description.openapi`: the description of operations."""

from dataclasses import replace
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from wire.description.openapi import Events, Operation, Parameter, document
from wire.errors import HTTP_STATUS


class Thing(msgspec.Struct, rename="camel"):
    """A thing; `made_by` says whose."""

    made_by: str


SHOW = Operation(
    "GET",
    "things/<run_id>/parts",
    print,
    name="showThing",
    summary="A thing",
    scope="chat",
    parameters=(Parameter(name="limit", schema={"type": "integer"}, description="So many."),),
    answers={200: (Thing, Events), 204: ()},
    errors=("run_not_found", "budget_exceeded"),
)
MAKE = Operation(
    "POST", "things", print, name="make", summary="-", scope="chat", body=Thing, answers={201: ()}
)


def described(operation: Operation) -> tuple[dict[str, Any], dict[str, Any]]:
    """How an operation is described, and the document around it."""
    whole = document([operation], version="1")
    (path,) = whole["paths"].values()
    return path[operation.method.lower()], whole


def resolved(whole: dict[str, Any], reference: dict[str, str]) -> Any:
    for name in reference["$ref"].removeprefix("#/").split("/"):
        whole = whole[name]
    return whole


def test_it_works() -> None:
    shown, whole = described(SHOW)
    assert list(whole["paths"]) == ["/api/things/{runId}/parts"]
    assert shown["operationId"] == "showThing"
    assert shown["security"] == [{"key": ["chat"]}, {"session": []}]
    assert [(each["name"], each["in"]) for each in shown["parameters"]] == [
        ("runId", "path"),
        ("limit", "query"),
    ]
    assert set(shown["responses"]["200"]["content"]) == {"application/json", "text/event-stream"}
    assert "content" not in shown["responses"]["204"]


def test_fields_have_their_json_names_also_in_descriptions() -> None:
    _, whole = described(SHOW)
    thing = whole["components"]["schemas"]["Thing"]
    assert list(thing["properties"]) == ["madeBy"]
    assert thing["description"] == "A thing; `madeBy` says whose."


def test_each_status_of_an_error_has_exactly_its_codes() -> None:
    shown, whole = described(SHOW)
    refusal = resolved(whole, shown["responses"]["404"])
    schema = refusal["content"]["application/json"]["schema"]
    valid = jsonschema_rs.validator_for(schema | {"components": whole["components"]}).is_valid
    error = {"message": "No.", "requestId": "req_1"}
    assert valid({"error": error | {"code": "run_not_found"}})
    assert not valid({"error": error | {"code": "message_not_found"}})
    assert not valid({"error": {"code": "run_not_found", "message": "No."}})


def test_every_error_of_an_operation_is_described() -> None:
    shown, _ = described(SHOW)
    statuses = {str(HTTP_STATUS[code]) for code in SHOW.codes} | {"200", "204"}
    assert set(shown["responses"]) == statuses
    assert {"401", "402", "404", "429"} < statuses


def test_a_post_takes_an_idempotency_key() -> None:
    made, _ = described(MAKE)
    assert [each["name"] for each in made["parameters"]] == ["Idempotency-Key"]
    assert "422" in made["responses"]


@pytest.mark.parametrize("required", [True, False])
def test_a_body_is_required_unless_it_is_not(required: bool) -> None:
    made, whole = described(replace(MAKE, body_required=required))
    assert made["requestBody"]["required"] is required
    schema = made["requestBody"]["content"]["application/json"]["schema"]
    assert resolved(whole, schema)["title"] == "Thing"


def test_without_a_scope_it_is_for_everybody() -> None:
    shown, _ = described(replace(SHOW, scope=None, errors=()))
    assert shown["security"] == []
    assert not {"401", "403"} & set(shown["responses"])


def test_methods_of_one_address_stand_together() -> None:
    whole = document([MAKE, replace(MAKE, method="GET", body=None)], version="1")
    assert set(whole["paths"]["/api/things"]) == {"get", "post"}
