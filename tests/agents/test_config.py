"""`agents.config`: an agent as a run keeps it."""

import json

from agents.config import AgentConfig


def test_it_works(agent):
    config = AgentConfig.of(agent)
    assert AgentConfig.stored(json.loads(json.dumps(vars(config)))) == config


def test_what_an_older_or_a_newer_version_has_stored_is_read(agent):
    stored = vars(AgentConfig.of(agent)) | {"from_a_newer_version": 1}
    del stored["tools"]
    assert AgentConfig.stored(stored) == AgentConfig.of(agent)
