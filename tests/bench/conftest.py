"""The benchmark's own programs, in both languages."""

from collections.abc import Iterator

import pytest

from bench import programs
from tests.bench.hiding import hidden_compiler


@pytest.fixture(scope="module", params=["C", "Python"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    """The programs are those of this language."""
    if request.param == "Python":
        with hidden_compiler():
            yield "Python"
    elif programs.compiler() is None:
        pytest.skip("there is no C compiler")
    else:
        yield "C"
