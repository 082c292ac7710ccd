"""The benchmark's own programs need a C compiler."""

import shutil

import pytest


@pytest.fixture(autouse=True)
def compiler() -> None:
    """Skips without one."""
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler")
