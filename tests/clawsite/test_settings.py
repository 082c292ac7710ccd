"""`clawsite.settings`: a value that means nothing is refused at the start, by its name."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

pytestmark = pytest.mark.process


def manage(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """`manage.py`, as an operator runs it with these settings."""
    return python("manage.py", *arguments, **environment)


def python(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Python in the folder of the project."""
    return subprocess.run(
        [sys.executable, *arguments],
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
        ("CLAW_HTTPS", "ture"),
        ("LOG_LEVEL", "verbose"),
        ("DATABASE_URL", "mongodb://127.0.0.1/x"),
        ("DATABASE_URL", "127.0.0.1/x"),
        ("REDIS_URL", "127.0.0.1:6379"),
        ("OPENAI_BASE_URL", "api.example.com/v1"),
        ("ANTHROPIC_BASE_URL", "http://host:port"),
        ("CLAW_PUBLIC_URL", "example.com"),
        ("CLAW_PUBLIC_URL", "https://example.com/chat"),
        ("CLAW_PUBLIC_URL", "https://user@example.com"),
        ("CLAW_PUBLIC_URL", "https://example.com:99999"),
        ("CLAW_PUBLIC_URL", "wss://example.com"),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_name(name: str, value: str) -> None:
    refused = manage("check", **{name: value})

    assert refused.returncode != 0
    assert refused.stderr.startswith(f"Settings: {name}")


@pytest.mark.parametrize(
    ("url", "hosts", "https"),
    [
        ("https://Example.com/", "example.com", True),
        ("http://example.com:8080", "example.com", False),
        ("https://[2001:db8::1]:8443", "[2001:db8::1]", True),
    ],
)
def test_what_follows_from_the_public_address(url: str, hosts: str, https: bool) -> None:
    names = "s.CLAW_PUBLIC_URL, s.ALLOWED_HOSTS[3], s.CSRF_TRUSTED_ORIGINS, s.CLAW_HTTPS"
    program = f"from clawsite import settings as s; print({names})"
    shown = python("-c", program, CLAW_PUBLIC_URL=url)
    address = url.lower().rstrip("/")
    assert shown.stdout == f"{address} {hosts} ['{address}'] {https}\n", shown.stderr


def test_a_public_address_without_tls_contradicts_https() -> None:
    refused = manage("check", CLAW_PUBLIC_URL="http://example.com", CLAW_HTTPS="true")
    assert refused.returncode != 0
    assert "CLAW_PUBLIC_URL begins with http://" in refused.stderr


@pytest.mark.parametrize("port", ["0", "65536"])
def test_a_port_that_there_is_not_is_refused(port: str) -> None:
    refused = manage("serve", "--port", port)

    assert refused.returncode == 1
    assert f"A port is 1 to 65535, not {port}." in refused.stderr
