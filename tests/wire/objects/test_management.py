"""`wire.objects.management`: the objects of agents, keys and usage."""

import msgspec
import pytest

from engine.errors import ClawError
from wire import parse
from wire.objects import management


def decode(type_: type, text: str) -> object:
    return parse.decode(msgspec.json.Decoder(type_), text)


def test_it_works() -> None:
    fields = decode(management.AgentFields, '{"name": "Helper", "maxTokens": 9}')
    assert fields.given() == {"name": "Helper", "max_tokens": 9}


def test_absent_and_null_are_different() -> None:
    assert decode(management.AgentFields, '{"credentialId": null}').given() == {
        "credential_id": None
    }
    assert decode(management.NewKey, "{}").expires_at is msgspec.UNSET
    assert decode(management.NewKey, '{"expiresAt": null}').expires_at is None


@pytest.mark.parametrize(
    ("type_", "text", "field"),
    [
        (management.AgentFields, '{"name": null}', "name"),
        (management.AgentFields, '{"maxTokens": "9"}', "maxTokens"),
        (management.AgentFields, '{"parameters": []}', "parameters"),
        (management.NewKey, '{"expiresAt": "2030-01-01T00:00:00"}', "expiresAt"),
        (management.NewKey, '{"scopes": [1]}', "scopes[0]"),
        (management.Rotation, '{"overlapSeconds": -1}', "overlapSeconds"),
        (management.AgentFields, '{"foo": 1}', "foo"),
        (management.AgentFields, '{"max_tokens": 1}', "max_tokens"),
        (management.NewKey, '{"a`b": 1}', "a`b"),
        (management.NewKey, '{"%s": 1}' % ("x" * 999), "x" * 100),
        (management.Rotation, '{"overlap": 1}', "overlap"),
        (management.Rotation, '{"overlapSeconds": 2592001}', "overlapSeconds"),
    ],
)
def test_what_is_wrong_is_named(type_: type, text: str, field: str) -> None:
    with pytest.raises(ClawError) as raised:
        decode(type_, text)
    assert raised.value.details == {"field": field}
