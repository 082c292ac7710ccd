"""What a door is handed, without a process, a database or a network: a log, limits, a registry."""

from types import SimpleNamespace
from typing import Any

from accounts.models import Organization
from agents.caller import Caller
from agents.config import AgentConfig
from agents.models import Agent, ApiKey
from conversations.limits.memory import MemoryLimits
from conversations.models import Conversation, Message, Run
from conversations.process.connections import Connections
from engine.events import Stamp, Token
from engine.log.memory import MemoryLog
from tests.agents.callers import holder
from wire.encoder import ENCODERS, Encoding
from wire.selection import Selection
from wire.visibility import EVERYTHING


class Dispatcher:
    """Notes which runs it is told to cancel."""

    def __init__(self) -> None:
        self.cancelled: list[str] = []

    async def cancel(self, run: Run) -> None:
        self.cancelled.append(run.pk)


class Doors(SimpleNamespace):
    """The services of a door that asks no database."""

    def __init__(self) -> None:
        super().__init__(
            log=MemoryLog(),
            limits=MemoryLimits(),
            connections=Connections(),
            dispatcher=Dispatcher(),
        )

    def begin(self, run: Run) -> Any:
        """The writer of a run."""
        return self.log.writer(Stamp(run.pk, run.conversation.pk, run.message.public_id), 1)


def run_of(run_id: str = "run_1", **fields: Any) -> Run:
    """A run that is in no database."""
    conversation = Conversation(id="conv_1")
    message = Message(conversation=conversation, public_id="msg_1", role="assistant")
    defaults = {"status": "running", "agent_id": "agt_1"}
    return Run(id=run_id, conversation=conversation, message=message, **defaults | fields)


def caller() -> Caller:
    """The holder of a key, in no database either."""
    organization = Organization(id="org_1", name="Acme")
    agent = Agent(id="agt_1", organization=organization, slug="helper", name="Helper")
    key = ApiKey(id="key_1", organization=organization)
    return Caller(principal=holder(key), agent=AgentConfig.of(agent))


def encoding(protocol: str) -> Encoding:
    """Everything of a run, in this protocol."""
    return Encoding(ENCODERS[protocol], Selection(EVERYTHING))


def token(index: int) -> Token:
    """One piece of text."""
    return Token(index=index, content=f"t{index}")
