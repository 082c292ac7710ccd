"""All settings, from the environment (or .env); every name is described in docs/settings.md."""

import math
import sys
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")


def seconds(name: str, default: float) -> float:
    """A duration in seconds, fractions allowed; refuses to start on anything else."""
    text = env.str(name, str(default))  # env.float would make 5 of 5m
    try:
        value = float(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number of seconds, not {text!r}") from None
    if not (math.isfinite(value) and value > 0):
        raise ImproperlyConfigured(f"{name} must be more than 0 seconds and finite, not {text}")
    return value


def count(name: str, default: int) -> int:
    """A whole number of at least 1."""
    text = env.str(name, str(default))
    try:
        value = int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {text!r}") from None
    if value < 1:
        raise ImproperlyConfigured(f"{name} must be at least 1, not {value}")
    return value


def choice(name: str, default: str, other: str) -> str:
    """One of two words."""
    word = env.str(name, default)
    if word not in (default, other):
        raise ImproperlyConfigured(f"{name} is either {default!r} or {other!r}")
    return word


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Addresses and networks (`10.0.0.0/8`), separated by commas."""
    try:
        return [ip_network(network) for network in env.list(name, default=[])]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from None


# --- Django
DEBUG = env.bool("DEBUG", False)
_DEVELOPMENT_KEY = "development-only-secret-key-never-use-it-in-production"
SECRET_KEY = env.str("SECRET_KEY", "") or (_DEVELOPMENT_KEY if DEBUG else "")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
CLAW_AGENT_DOMAIN = env.str("CLAW_AGENT_DOMAIN", "localhost").lower().strip(".")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]", f".{CLAW_AGENT_DOMAIN}"]
)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
CLAW_HTTPS = env.bool("CLAW_HTTPS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CLAW_HTTPS
# The redirect to https and Strict-Transport-Security are the proxy's: see deploy/nginx. What it
# says of the visitor's scheme is believed by address: see `as_visited` in clawsite/asgi.py.
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008"]
INSTALLED_APPS = [
    "clawsite",  # before daphne: our runserver starts and stops the run engine
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "accounts",
    "agents",
    "conversations",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "clawsite.urls"
ASGI_APPLICATION = "clawsite.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LANGUAGES = [("en", "English"), ("es", "Español")]  # of an agent's pages, and of the widget
LANGUAGE_CODE, TIME_ZONE, USE_I18N, USE_TZ = "en", "UTC", True, True
STATIC_URL, STATIC_ROOT = "static/", BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Database
DATABASES = {"default": env.db("DATABASE_URL", f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        # immediate: a transaction takes the write lock when it begins, and waits for it then
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"
        "PRAGMA busy_timeout=5000",
    }
    _data_dir = Path(f"{_database['NAME']}.runs")
else:
    _database["OPTIONS"] = {
        # A database that is away is soon said to be, and soon found again: by itself the pool
        # waits half a minute, and doubles the pauses between its attempts.
        "pool": {"min_size": 1, "max_size": 8, "timeout": 2.0, "reconnect_timeout": 1.0}
    }
    _data_dir = BASE_DIR / "data" / "runs"

# --- Signals between processes
REDIS_URL = env.str("REDIS_URL", "")
CLAW_SCALED_OUT = bool(REDIS_URL) and not _database["ENGINE"].endswith("sqlite3")
if CLAW_SCALED_OUT:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            # redis-py 8 would end every wait of more than 5 seconds.
            "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}]},
        }
    }
    INSTALLED_APPS.append("procrastinate.contrib.django")
    PROCRASTINATE_IMPORT_PATHS = ["conversations.execution.jobs"]
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# --- Model providers (the operator's own accounts)
ANTHROPIC_API_KEY = env.str("ANTHROPIC_API_KEY", "")
ANTHROPIC_BASE_URL = env.str("ANTHROPIC_BASE_URL", "https://api.anthropic.com")
CLAW_ANTHROPIC_TRANSPORT = choice("CLAW_ANTHROPIC_TRANSPORT", "own", "sdk")
OPENAI_API_KEY = env.str("OPENAI_API_KEY", "")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", "")
CLAW_PLATFORM_CREDENTIALS = choice("CLAW_PLATFORM_CREDENTIALS", "command", "all")

# --- Clawsite
PORT = count("PORT", 8000)
CLAW_ENCRYPTION_KEYS = env.list("CLAW_ENCRYPTION_KEYS", default=[])
CLAW_DATA_DIR = Path(env.str("CLAW_DATA_DIR", str(_data_dir)))
CLAW_ALLOW_PRIVATE_NETWORKS = networks("CLAW_ALLOW_PRIVATE_NETWORKS")
CLAW_PING_INTERVAL = seconds("CLAW_PING_INTERVAL", 30)
CLAW_IDLE_TIMEOUT = seconds("CLAW_IDLE_TIMEOUT", 300)
CLAW_AUTH_TIMEOUT = seconds("CLAW_AUTH_TIMEOUT", 10)
CLAW_REQUEST_TIMEOUT = seconds("CLAW_REQUEST_TIMEOUT", 20)
CLAW_KEEPALIVE_INTERVAL = seconds("CLAW_KEEPALIVE_INTERVAL", 15)
CLAW_SLOW_CONSUMER_TIMEOUT = seconds("CLAW_SLOW_CONSUMER_TIMEOUT", 30)
CLAW_PROVIDER_IDLE_TIMEOUT = seconds("CLAW_PROVIDER_IDLE_TIMEOUT", 60)
CLAW_RUN_TIMEOUT = seconds("CLAW_RUN_TIMEOUT", 1800)
CLAW_RUN_LEASE = seconds("CLAW_RUN_LEASE", 15)
CLAW_LOG_RETENTION = seconds("CLAW_LOG_RETENTION", 600)
CLAW_SHUTDOWN_GRACE = seconds("CLAW_SHUTDOWN_GRACE", 30)
CLAW_MAX_MESSAGE_BYTES = count("CLAW_MAX_MESSAGE_BYTES", 32768)
CLAW_TRANSPORT_MAX_BYTES = count("CLAW_TRANSPORT_MAX_BYTES", 1024 * 1024)
CLAW_MAX_MESSAGES_PER_MINUTE = count("CLAW_MAX_MESSAGES_PER_MINUTE", 30)
CLAW_METRICS_TOKEN = env.str("CLAW_METRICS_TOKEN", "")
CLAW_MAX_CONNECTIONS_PER_AGENT = count("CLAW_MAX_CONNECTIONS_PER_AGENT", 100)
CLAW_TICKET_TTL = seconds("CLAW_TICKET_TTL", 60)
CLAW_VISITOR_TTL = seconds("CLAW_VISITOR_TTL", 900)
CLAW_VISITOR_SESSIONS_PER_ADDRESS = count("CLAW_VISITOR_SESSIONS_PER_ADDRESS", 60)
CLAW_VISITOR_REQUESTS_PER_MINUTE = count("CLAW_VISITOR_REQUESTS_PER_MINUTE", 120)
CLAW_VISITOR_MESSAGES_PER_ADDRESS = count("CLAW_VISITOR_MESSAGES_PER_ADDRESS", 60)
CLAW_VISITOR_DAILY_MESSAGES_PER_ADDRESS = count("CLAW_VISITOR_DAILY_MESSAGES_PER_ADDRESS", 1000)
CLAW_VISITOR_MESSAGES_PER_AGENT = count("CLAW_VISITOR_MESSAGES_PER_AGENT", 600)
CLAW_VISITOR_CONNECTIONS = count("CLAW_VISITOR_CONNECTIONS", 10)
CLAW_VISITOR_CONNECTIONS_PER_ADDRESS = count("CLAW_VISITOR_CONNECTIONS_PER_ADDRESS", 50)
CLAW_MAX_STREAMS_PER_AGENT = count("CLAW_MAX_STREAMS_PER_AGENT", 1000)
CLAW_MAX_UNAUTHENTICATED_PER_ADDRESS = count("CLAW_MAX_UNAUTHENTICATED_PER_ADDRESS", 200)
CLAW_FAILED_AUTH_PER_MINUTE = count("CLAW_FAILED_AUTH_PER_MINUTE", 10)
CLAW_MAX_ACTIVE_RUNS = count("CLAW_MAX_ACTIVE_RUNS", 5000)
CLAW_MAX_ACTIVE_RUNS_PER_ORGANISATION = count("CLAW_MAX_ACTIVE_RUNS_PER_ORGANISATION", 1000)
CLAW_TRUSTED_PROXIES = networks("CLAW_TRUSTED_PROXIES")
CLAW_QUEUE_LENGTH = count("CLAW_QUEUE_LENGTH", 10)

if urlsplit(ANTHROPIC_BASE_URL).scheme not in ("http", "https"):
    raise ImproperlyConfigured("ANTHROPIC_BASE_URL must be an http(s) address")
if OPENAI_BASE_URL and urlsplit(OPENAI_BASE_URL).scheme not in ("http", "https"):
    raise ImproperlyConfigured("OPENAI_BASE_URL must be an http(s) address")

_log_format = env.str("LOG_FORMAT", "line" if sys.stderr.isatty() else "json")
if _log_format not in ("json", "line"):
    raise ImproperlyConfigured("LOG_FORMAT is either 'json' or 'line'")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "clawsite.logs.JsonFormatter"},
        "line": {"()": "clawsite.logs.LineFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": _log_format}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO").upper()},
    # Access lines would hold query strings, and those may hold tickets. Of a WebSocket, uvicorn
    # says them to its error log, and at DEBUG every frame and header with its key.
    "loggers": {
        "uvicorn.access": {"level": "WARNING"},
        "uvicorn.error": {"level": "WARNING"},
        "django.channels.server": {"level": "WARNING"},
        "procrastinate": {"level": "WARNING"},  # several lines for every job
        # Of Anthropic's SDK: a line with the address for every call, and at DEBUG what people say.
        **{name: {"level": "WARNING"} for name in ("anthropic", "httpx2", "httpcore2")},
    },
}
