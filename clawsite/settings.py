"""All settings, from the environment (or .env); every name is described in docs/settings.md."""

import math
import re
import sys
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from clawsite.environment import Environment
from clawsite.logs import logging_of

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = "0.1.0"

env = Environment(BASE_DIR / ".env")


# The configurations that PostgreSQL 12 and later bring.
SEARCH_LANGUAGES = frozenset(
    {
        *("arabic", "danish", "dutch", "english", "finnish", "french", "german", "greek"),
        *("hungarian", "indonesian", "irish", "italian", "lithuanian", "nepali", "norwegian"),
        *("portuguese", "romanian", "russian", "simple", "spanish", "swedish", "tamil", "turkish"),
    }
)


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


def choice(name: str, default: str, *others: str) -> str:
    """One of a few words."""
    word = env.str(name, default)
    if word not in (default, *others):
        words = " or ".join(map(repr, (default, *others)))
        raise ImproperlyConfigured(f"{name} is either {words}")
    return word


def words(name: str, default: list[str], known: frozenset[str]) -> list[str]:
    """Some of these words, at least one."""
    given = env.list(name, default=default)
    if unknown := [word for word in given if word not in known]:
        raise ImproperlyConfigured(f"{name} cannot name {unknown[0]!r}: {', '.join(sorted(known))}")
    return given


def site(name: str) -> str:
    """The address of a site, scheme and host and port; empty where none is given."""
    text = env.str(name, "").strip().rstrip("/").lower()
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        usable = False
    if text and (not usable or text != f"{parts.scheme}://{parts.netloc}" or "@" in parts.netloc):
        raise ImproperlyConfigured(f"{name} must be an address such as https://example.com")
    return text


def web_address(name: str, default: str) -> str:
    """The address of an API; where requests go exactly is the provider's business."""
    text = env.str(name, default)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        usable = False
    if text and (not usable or re.search(r"[^\x21-\x7e]|\\", text)):
        raise ImproperlyConfigured(
            f"{name} must be an http(s) address such as https://models.example.com/v1"
        )
    return text


def place(name: str) -> tuple[str, int] | None:
    """The place to listen at: a port of this machine's own (`9100`), or an address and a port
    (`10.0.0.5:9100`, `[::]:9100`). None if there is none."""
    text = env.str(name, "").strip()
    if not text:
        return None
    try:
        found = urlsplit(f"//{text if ':' in text else f'127.0.0.1:{text}'}")
        host, port = found.hostname, found.port
    except ValueError:
        host = port = None
    if not (host and port):
        raise ImproperlyConfigured(f"{name} must be a port or address:port, not {text!r}")
    return host, port


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
CLAW_AGENT_DOMAIN = env.str("CLAW_AGENT_DOMAIN", "localhost").lower().rstrip(".")
# Where it is not given, `agents.public.addresses` derives it.
CLAW_PUBLIC_URL = site("CLAW_PUBLIC_URL")
_own_hosts = [re.sub(r":[0-9]+$", "", urlsplit(CLAW_PUBLIC_URL).netloc)] if CLAW_PUBLIC_URL else []
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS",
    default=["localhost", "127.0.0.1", "[::1]", *_own_hosts, f".{CLAW_AGENT_DOMAIN}"],
)
CSRF_TRUSTED_ORIGINS = env.list(
    "CSRF_TRUSTED_ORIGINS", default=[CLAW_PUBLIC_URL] if CLAW_PUBLIC_URL else []
)
CLAW_HTTPS = env.bool("CLAW_HTTPS", CLAW_PUBLIC_URL.startswith("https:"))
if CLAW_HTTPS and CLAW_PUBLIC_URL.startswith("http:"):
    raise ImproperlyConfigured("CLAW_HTTPS is on, but CLAW_PUBLIC_URL begins with http://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = CLAW_HTTPS
# The redirect to https and Strict-Transport-Security are the proxy's: see deploy/nginx. What it
# says of the visitor's scheme is believed by address: see `as_visited` in clawsite/asgi.py.
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008"]
INSTALLED_APPS = [
    "clawsite",  # before daphne: our runserver starts and stops the run engine
    "daphne",
    "clawsite.apps.OperatorAdminConfig",
    *(f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions", "messages")),
    "django.contrib.staticfiles",
    "channels",
    *("allauth", "allauth.account", "allauth.mfa"),
    "django.contrib.humanize",  # pages of allauth.mfa
    "auditing",
    "accounts",
    "agents",
    "approvals",
    "files",
    "knowledge",
    "memories",
    "metering",
    "webhooks",
    "alerts",
    "conversations",
    "pipelines",
    "console",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "clawsite.http.csp.with_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
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
    "accounts.hashing.SerialArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]

# --- Signing in and up, at /accounts/ (https://docs.allauth.org)
CLAW_SIGNUP = choice("CLAW_SIGNUP", "closed", "invited", "open")
LOGIN_URL, LOGIN_REDIRECT_URL, ACCOUNT_LOGOUT_REDIRECT_URL = "account_login", "console", "home"
ACCOUNT_ADAPTER = "console.entrance.adapter.AccountAdapter"
ACCOUNT_SIGNUP_FORM_CLASS = "console.entrance.forms.OrganizationForm"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
# By code: its links do not take ids like ours.
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
MFA_ADAPTER = "console.entrance.second_factor.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED, MFA_TOTP_ISSUER = True, "Clawsite"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG  # a passkey on http://localhost
globals().update(env.mail("EMAIL_URL"))
DEFAULT_FROM_EMAIL = env.str(
    "DEFAULT_FROM_EMAIL", f"Clawsite <clawsite@{(_own_hosts or ['localhost'])[0]}>"
)

LANGUAGES = [  # of an agent's pages, and of the widget
    *(("en", "English"), ("es", "Español"), ("de", "Deutsch"), ("fr", "Français")),
    *(("pt", "Português"), ("it", "Italiano"), ("nl", "Nederlands"), ("pl", "Polski")),
    *(("tr", "Türkçe"), ("ar", "العربية"), ("he", "עברית"), ("ja", "日本語"), ("zh", "中文")),
]
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
    _database["OPTIONS"] = _database.get("OPTIONS", {}) | {  # with `?sslmode=require` and such
        # A database that is away is soon said to be, and soon found again: by itself the pool
        # waits half a minute, and doubles the pauses between its attempts.
        "pool": {"min_size": 1, "max_size": 8, "timeout": 2.0, "reconnect_timeout": 1.0}
    }
    _data_dir = BASE_DIR / "data" / "runs"

# --- Signals between processes
REDIS_URL = env.str("REDIS_URL")
if REDIS_URL and urlsplit(REDIS_URL).scheme not in ("redis", "rediss", "unix"):
    raise ImproperlyConfigured("REDIS_URL begins with redis://, rediss:// or unix://")
CLAW_SCALED_OUT = bool(REDIS_URL) and not _database["ENGINE"].endswith("sqlite3")
SHARED_CACHE = {
    "BACKEND": "accounts.counting.SharedCache",
    "LOCATION": REDIS_URL,
    "KEY_PREFIX": "claw-cache",
    "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1, "retry": None},
}
if CLAW_SCALED_OUT:
    # What allauth counts, such as mails to an address, holds for all processes together.
    CACHES = {"default": SHARED_CACHE}
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            # redis-py 8 would end every wait of more than 5 seconds.
            "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}]},
        }
    }
    INSTALLED_APPS.append("procrastinate.contrib.django")
    PROCRASTINATE_IMPORT_PATHS = ["conversations.execution.queue.jobs"]
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# --- Model providers (the operator's own accounts)
ANTHROPIC_API_KEY = env.str("ANTHROPIC_API_KEY", "")
ANTHROPIC_BASE_URL = web_address("ANTHROPIC_BASE_URL", "https://api.anthropic.com")
CLAW_ANTHROPIC_TRANSPORT = choice("CLAW_ANTHROPIC_TRANSPORT", "own", "sdk")
OPENAI_API_KEY = env.str("OPENAI_API_KEY", "")
OPENAI_BASE_URL = web_address("OPENAI_BASE_URL", "")
OPENAI_MODEL = env.str("OPENAI_MODEL", "")
CLAW_PLATFORM_CREDENTIALS = choice("CLAW_PLATFORM_CREDENTIALS", "command", "all")

# --- Clawsite
PORT = count("PORT", 8000)
CLAW_ENCRYPTION_KEYS = env.list("CLAW_ENCRYPTION_KEYS", default=[])
CLAW_DATA_DIR = Path(env.str("CLAW_DATA_DIR", str(_data_dir)))
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": CLAW_DATA_DIR / "files", "directory_permissions_mode": 0o700},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CLAW_ALLOW_PRIVATE_NETWORKS = networks("CLAW_ALLOW_PRIVATE_NETWORKS")
CLAW_PING_INTERVAL = seconds("CLAW_PING_INTERVAL", 30)
CLAW_IDLE_TIMEOUT = seconds("CLAW_IDLE_TIMEOUT", 300)
CLAW_AUTH_TIMEOUT = seconds("CLAW_AUTH_TIMEOUT", 10)
CLAW_REQUEST_TIMEOUT = seconds("CLAW_REQUEST_TIMEOUT", 20)
CLAW_KEEPALIVE_INTERVAL = seconds("CLAW_KEEPALIVE_INTERVAL", 15)
CLAW_SLOW_CONSUMER_TIMEOUT = seconds("CLAW_SLOW_CONSUMER_TIMEOUT", 30)
CLAW_PROVIDER_IDLE_TIMEOUT = seconds("CLAW_PROVIDER_IDLE_TIMEOUT", 60)
CLAW_RUN_TIMEOUT = seconds("CLAW_RUN_TIMEOUT", 1800)
CLAW_MAX_ANSWER_BYTES = count("CLAW_MAX_ANSWER_BYTES", 4 * 1024 * 1024)
CLAW_APPROVAL_TTL = seconds("CLAW_APPROVAL_TTL", 86_400)
CLAW_TOOL_TIMEOUT = seconds("CLAW_TOOL_TIMEOUT", 30)
CLAW_TOOL_RESULT_BYTES = count("CLAW_TOOL_RESULT_BYTES", 64 * 1024)
CLAW_MAX_DOCUMENT_BYTES = count("CLAW_MAX_DOCUMENT_BYTES", 20 * 1024 * 1024)
CLAW_MAX_FILE_BYTES = count("CLAW_MAX_FILE_BYTES", 10 * 1024 * 1024)
CLAW_MAX_FILES_PER_MESSAGE = count("CLAW_MAX_FILES_PER_MESSAGE", 5)
CLAW_MAX_STORED_FILE_BYTES = count("CLAW_MAX_STORED_FILE_BYTES", 5 * 1024 * 1024 * 1024)
CLAW_SEARCH_LANGUAGES = words("CLAW_SEARCH_LANGUAGES", ["english", "german"], SEARCH_LANGUAGES)
CLAW_EMBEDDINGS_URL = web_address("CLAW_EMBEDDINGS_URL", "")
CLAW_EMBEDDINGS_KEY = env.str("CLAW_EMBEDDINGS_KEY", "")
CLAW_EMBEDDINGS_MODEL = env.str("CLAW_EMBEDDINGS_MODEL", "text-embedding-3-small")
CLAW_MCP_STDIO = env.str("CLAW_MCP_STDIO", "")
CLAW_RUN_LEASE = seconds("CLAW_RUN_LEASE", 15)
CLAW_LOG_RETENTION = seconds("CLAW_LOG_RETENTION", 600)
CLAW_FEED_RETENTION = seconds("CLAW_FEED_RETENTION", 86400)
CLAW_MAX_JOURNAL_BYTES_PER_ORGANISATION = count(
    "CLAW_MAX_JOURNAL_BYTES_PER_ORGANISATION", 1024 * 1024 * 1024
)
CLAW_SHUTDOWN_GRACE = seconds("CLAW_SHUTDOWN_GRACE", 30)
CLAW_MAX_MESSAGE_BYTES = count("CLAW_MAX_MESSAGE_BYTES", 32768)
CLAW_TRANSPORT_MAX_BYTES = count("CLAW_TRANSPORT_MAX_BYTES", 1024 * 1024)
CLAW_MAX_MESSAGES_PER_MINUTE = count("CLAW_MAX_MESSAGES_PER_MINUTE", 30)
CLAW_REQUEST_LOG = env.bool("CLAW_REQUEST_LOG", False)
CLAW_METRICS_TOKEN = env.str("CLAW_METRICS_TOKEN", "")
CLAW_WORKER_ADDRESS = place("CLAW_WORKER_ADDRESS")
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

_log_level = env.str("LOG_LEVEL", "INFO").upper()
if _log_level not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
    raise ImproperlyConfigured("LOG_LEVEL is DEBUG, INFO, WARNING, ERROR or CRITICAL")
_log_format = env.str("LOG_FORMAT", "line" if sys.stderr.isatty() else "json")
if _log_format not in ("json", "line"):
    raise ImproperlyConfigured("LOG_FORMAT is either 'json' or 'line'")
LOGGING = logging_of(_log_level, _log_format)

# The last line: every setting has been asked for.
CLAW_UNKNOWN_SETTINGS = env.unknown
