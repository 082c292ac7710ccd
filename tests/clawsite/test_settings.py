"""`clawsite.settings`: a value that means nothing is refused at the start, by its name."""

import os
import subprocess
import sys

import pytest
from django.conf import settings


def manage(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """`manage.py`, as an operator runs it with these settings."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DEBUG": "true"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_it_works() -> None:
    shown = manage(
        "shell",
        "-v0",
        "-c",
        "from django.conf import settings as s; print(s.CLAW_RUN_TIMEOUT)",
        CLAW_RUN_TIMEOUT="1e3",
        CLAW_TRUSTED_PROXIES="127.0.0.1,10.0.0.0/8",
    )
    assert shown.stdout == "1000.0\n", shown.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLAW_RUN_TIMEOUT", "5m"),
        ("CLAW_RUN_TIMEOUT", "inf"),
        ("CLAW_QUEUE_LENGTH", "1.5"),
        ("CLAW_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("CLAW_ANTHROPIC_TRANSPORT", "SDK"),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_name(name: str, value: str) -> None:
    refused = manage("check", **{name: value})

    assert refused.returncode != 0
    assert refused.stderr.startswith(f"Settings: {name}")


@pytest.mark.parametrize("port", ["0", "65536"])
def test_a_port_that_there_is_not_is_refused(port: str) -> None:
    refused = manage("serve", "--port", port)

    assert refused.returncode == 1
    assert f"A port is 1 to 65535, not {port}." in refused.stderr
