"""`clawsite.operator.diagnostics`: a diagnosis is a connection of nobody."""

from clawsite.operator.diagnostics import Pattern
from conversations.process.connections import Connections


async def test_a_diagnosis_is_in_nobodys_way() -> None:
    connections, pattern = Connections(), Pattern({"scheme": "http"}, 0.0)
    connections.add(pattern)
    assert connections.callers() == []
    assert connections.shown("org_1") == []
    await pattern.look_again()


async def test_it_leaves_when_the_process_does() -> None:
    connections, pattern = Connections(), Pattern({"scheme": "http"}, 60.0)
    connections.add(pattern)
    await connections.shut_down(0)
    assert await pattern._over(5)
