"""`wire.objects.visitors`: the objects of visitor sessions."""

import msgspec
import pytest

from engine.errors import ClawError
from wire import parse
from wire.objects.visitors import NewVisitorSession

_decoder = msgspec.json.Decoder(NewVisitorSession)


def test_it_works() -> None:
    body = parse.decode(
        _decoder, '{"agentId": "my-agent", "renew": "a.b.c", "visitorId": "anon:x"}'
    )
    assert body == NewVisitorSession(agent_id="my-agent", renew="a.b.c")


@pytest.mark.parametrize("field", ["agentId", "renew", "identity"])
def test_a_field_of_the_wrong_type_is_named(field: str) -> None:
    with pytest.raises(ClawError) as raised:
        parse.decode(_decoder, f'{{"{field}": 5}}')
    assert raised.value.details == {"field": field}
