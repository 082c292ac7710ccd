"""What every test shares: settings that need no environment, a database file, three people."""

import gc
from asyncio import constants as asyncio_constants
from collections.abc import Iterator

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.cache import cache
from django.db import connections
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from accounts.models import Membership, Organization, User
from agents.auth import key_holders, keys
from agents.models import Agent, ApiKey
from agents.public import visited
from tests import database

pytest_plugins = ["tests.services"]
# Tests of other rooms import its constants too, so it is named before the first of them is read.
pytest.register_assert_rewrite("tests.engine.log.contract")


# The debug mode of asyncio checks threads and callbacks, which is what we want of it. To note where
# each task and callback was made takes a third of the time of a test.
asyncio_constants.DEBUG_STACK_DEPTH = 0

# A busy machine is no fault of what is tested.
hypothesis_settings.register_profile(
    "busy", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("busy")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--stack",
        choices=["embedded", "scaled"],
        default="embedded",
        help="what the live tests talk to: one process, or many on PostgreSQL and Redis",
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is loaded stays: the search for garbage in cycles need not look at thousands of tests
    again and again, neither while they are collected nor later."""
    gc.disable()
    yield
    gc.enable()
    gc.collect()
    gc.freeze()


def pytest_configure() -> None:
    """The same settings everywhere, whatever .env says; no test can reach a paid account."""
    settings.SECRET_KEY = "for-tests-only-8vQ2xLr5nWk9TzYb4Hc7Jd1Mf6Pg3Sa"
    settings.CLAW_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    settings.ANTHROPIC_API_KEY = settings.OPENAI_API_KEY = settings.OPENAI_BASE_URL = ""
    settings.OPENAI_MODEL = ""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file, as in production: one in memory cannot be shared between threads as faithfully."""
    default = settings.DATABASES["default"]
    if default["ENGINE"].endswith("sqlite3"):
        default["TEST"]["NAME"] = str(tmp_path_factory.mktemp("db") / "test.sqlite3")
        # No test cuts the power, and each that closes its connection would wait for the disk.
        default["OPTIONS"]["init_command"] += ";PRAGMA synchronous=OFF"


@pytest.fixture
def transactional_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """An empty database that other threads see too. It replaces the fixture of pytest-django."""
    with django_db_blocker.unblock():
        yield
        database.empty()
        connections.close_all()  # a test without a database may not touch one that is open


@pytest.fixture(autouse=True)
def forget_keys() -> None:
    """No test finds what the one before it has left in the caches."""
    cache.clear()
    key_holders.forget_all()
    visited.forget_all()


@pytest.fixture
def acme(transactional_db: None) -> Organization:
    """The organisation of alice and bob. Coroutine tests use another thread: no transaction."""
    return Organization.objects.create(name="Acme")


@pytest.fixture
def alice(acme: Organization) -> User:
    """Owner of acme."""
    return _member(acme, "alice@example.com", Membership.Role.OWNER)


@pytest.fixture
def bob(acme: Organization) -> User:
    """Member of acme."""
    return _member(acme, "bob@example.com", Membership.Role.MEMBER)


@pytest.fixture
def globex(transactional_db: None) -> Organization:
    """The other organisation, charlie's."""
    return Organization.objects.create(name="Globex")


@pytest.fixture
def charlie(globex: Organization) -> User:
    """Owner of globex; a stranger to acme."""
    return _member(globex, "charlie@example.com", Membership.Role.OWNER)


@pytest.fixture
def agent(acme: Organization) -> Agent:
    """Acme's agent, answered by the demo provider."""
    return Agent.objects.create(organization=acme, slug="helper", name="Helper", provider="demo")


@pytest.fixture
def foreign_agent(globex: Organization) -> Agent:
    """Globex's agent."""
    return Agent.objects.create(organization=globex, slug="spy", name="Spy", provider="demo")


@pytest.fixture
def key(agent: Agent) -> tuple[ApiKey, str]:
    """A key of acme for its one agent: the row and the key itself."""
    return keys.create_key(agent.organization, name="test", agents=[agent])


@pytest.fixture
def foreign_key(foreign_agent: Agent) -> tuple[ApiKey, str]:
    """A key of globex that opens all of its agents, and nothing of acme."""
    return keys.create_key(foreign_agent.organization, name="test")


def _member(organization: Organization, email: str, role: Membership.Role) -> User:
    user = User.objects.create_user(email, "correct horse")
    Membership.objects.create(organization=organization, user=user, role=role)
    return user
