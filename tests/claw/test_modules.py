"""The modules of static/claw that need no server, each with its tests in JavaScript."""

from pathlib import Path

import pytest

from tests.live.programs import node_test

pytestmark = pytest.mark.node

PROGRAMS = sorted(Path(__file__).parent.rglob("*.test.js"))


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
async def test_it_works(program: Path) -> None:
    await node_test(program)
