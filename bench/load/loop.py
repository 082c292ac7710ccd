"""The event loop of the Python twins: uvloop's where it is installed."""

import asyncio
from collections.abc import Coroutine
from typing import Any

try:
    from uvloop import new_event_loop
except ImportError:
    from asyncio import new_event_loop


def run(program: Coroutine[Any, Any, None]) -> None:
    """Until the program has ended."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(program)
