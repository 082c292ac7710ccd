"""`knowledge.embeddings.question`."""

from dataclasses import replace

from knowledge.embeddings.question import question_vector


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
