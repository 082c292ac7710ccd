"""`knowledge.embeddings.question`."""

from dataclasses import replace

from knowledge.embeddings.question import Rests, question_vector


async def test_it_works(caller, endpoint):
    agent = replace(caller.agent, platform_credentials=True)
    assert await question_vector(agent, "refunds") is not None
    assert endpoint.texts == ["refunds"]


async def test_without_an_endpoint_or_a_right_to_it_there_is_none(caller, endpoint, settings):
    agent = replace(caller.agent, platform_credentials=True)
    assert await question_vector(replace(agent, platform_credentials=False), "refunds") is None
    assert await question_vector(agent, " ") is None
    settings.CLAW_EMBEDDINGS_URL = ""
    assert await question_vector(agent, "refunds") is None
    assert endpoint.requests == []


async def test_an_endpoint_that_fails_is_left_alone_for_a_while(caller, endpoint, caplog):
    agent = replace(caller.agent, platform_credentials=True)
    endpoint.answers = [(400, b"")]
    assert await question_vector(agent, "refunds") is None
    assert "searching by words alone" in caplog.text
    assert await question_vector(agent, "refunds") is None
    assert len(endpoint.requests) == 1


async def test_an_own_server_is_reached_at_public_addresses_only(
    caller, own_server, settings, caplog
):
    settings.CLAW_ALLOW_PRIVATE_NETWORKS = []
    assert await question_vector(caller.agent, "refunds") is None
    assert own_server.requests == []
    assert "searching by words alone" in caplog.text


async def test_one_that_fails_keeps_no_other_from_being_asked(
    caller, own_server, settings, monkeypatch
):
    own_server.answers = [(400, b"")]
    assert await question_vector(caller.agent, "refunds") is None
    assert list(Rests.until) == [own_server.url]
    monkeypatch.setattr(Rests, "until", {"https://another.example": float("inf")})
    found = await question_vector(caller.agent, "refunds")
    assert found is not None and found.model == "own"
