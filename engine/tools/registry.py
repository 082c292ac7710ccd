"""The built-in tools that an agent can name."""

from engine.events import ASK_USER
from engine.tools.builtin import calculator, current_time, fetch_page, search_knowledge
from engine.tools.builtin.base import Builtin

BUILTINS: dict[str, Builtin] = {
    "current_time": current_time.TOOL,
    "search_knowledge": search_knowledge.TOOL,
    "calculator": calculator.TOOL,
    "fetch_page": fetch_page.TOOL,
}

MEMORY = "memory"
"""Names the tools of one visitor's memory, which come from `memories.tools`. Those of `ASK_USER`
come from `conversations.execution.waiting.questions`."""
ELSEWHERE = (ASK_USER, MEMORY)
"""Names that an agent can use beside `BUILTINS`: these tools need the run and its rows."""
