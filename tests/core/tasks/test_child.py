"""`core.tasks.child`, by a module of the standard library."""

import pytest

from core.tasks.child import ChildFailed, run_child

JSON = "json.tool"


async def run(content=b"[1]", seconds=20.0, max_output=1000):
    return await run_child(JSON, content=content, seconds=seconds, max_output=max_output)


async def test_it_works():
    assert (await run()).split() == [b"[", b"1", b"]"]


@pytest.mark.parametrize("bounds", [{"seconds": 0.0}, {"max_output": 1}, {"content": b"no JSON"}])
async def test_a_child_that_fails_or_breaks_its_bounds_is_one_error(bounds):
    with pytest.raises(ChildFailed):
        await run(**bounds)
