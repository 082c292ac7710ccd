"""The benchmark's own programs, in both languages."""

from collections.abc import Iterator

import pytest

from tests.bench.hiding import hidden_compiler


@pytest.fixture(scope="module", params=[pytest.param("C", marks=pytest.mark.compiler), "Python"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    """The programs are those of this language."""
    if request.param == "Python":
        with hidden_compiler():
            yield "Python"
    else:
        yield "C"
