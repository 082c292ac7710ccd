"""`conversations.transports.rest.operations`, `urls` and `parameters`, and those of the façades:
each operation is at its address."""

from collections import defaultdict

import pytest

from conversations.transports.facade import operations as facade
from conversations.transports.rest.operations import ASK, MANAGE
from tests.asgi import ask
from wire.description.openapi import Operation

EVERYTHING = (
    *(*ASK, *MANAGE, *facade.ASK, *facade.MANAGE),
    *(*facade.API_ASK, *facade.API_MANAGE, *facade.ROOT_ASK),
)
SUBSTITUTE = "conv_1"


def address(operation: Operation) -> str:
    """The path, with a name in the place of each variable."""
    parts = operation.path.split("/")
    filled = [SUBSTITUTE if part.startswith("<") else part for part in parts]
    return operation.prefix + "/".join(filled)


def test_no_two_operations_share_a_name_or_an_address() -> None:
    assert len({each.name for each in EVERYTHING}) == len(EVERYTHING)
    addresses = {(each.method, address(each)) for each in EVERYTHING}
    assert len(addresses) == len(EVERYTHING)


@pytest.mark.parametrize("mount", ["", "/a/helper"])
async def test_each_is_at_its_address(mount: str) -> None:
    """Another method is refused, and told those that are there."""
    methods = defaultdict(set)
    for each in EVERYTHING:
        methods[address(each)].add(each.method)
    for path, allowed in methods.items():
        status, told = await ask("TRACE", mount + path)
        assert status == 405, path
        problem = told["error"]
        if path.startswith("/api/"):
            assert set(problem["details"]["allow"]) == allowed, path


@pytest.mark.parametrize("operation", EVERYTHING, ids=lambda each: each.name)
def test_its_parameters_are_named_once(operation: Operation) -> None:
    names = [(each.name, each.place) for each in operation.parameters]
    assert len(names) == len(set(names))
