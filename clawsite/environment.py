"""The one place where the environment is read: blanks around a value mean nothing.

Files of secrets end in a newline, editors of Windows leave CR and a byte order mark, and
`docker --env-file` keeps the quotes that a shell would take away. A value that is then empty is as
good as none.
"""

import io
import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BLANK = " \t\r\n\v\f\ufeff\u00a0\u200b"
PREFIX = "CLAW_"  # of our own settings
ASSIGNMENT = re.compile(r"^[ \t]*((?:export[ \t]+)?[A-Za-z_]\w*)[ \t]*=[ \t]*", re.MULTILINE)
QUOTES = ('"', "'")
NEAR_OURS, NEAR_OTHERS = 0.6, 0.88  # how much of a misspelt name is right

YES = frozenset({"true", "yes", "y", "on", "ok", "1"})
NO = frozenset({"false", "no", "n", "off", "0"})
PRINTED = "accounts.mail.PrintedMail"
MAIL_SECONDS = 10  # a page waits so long for a mail server
MAIL = frozenset({"smtp", "smtps", "smtp+tls", "smtp+ssl", "file"})
DATABASES = frozenset({"sqlite", "postgres", "postgresql", "pgsql", "psql"})


def cleaned(value: str) -> str:
    """Without blanks, and one pair of quotes, around it."""
    value = value.strip(BLANK)
    if len(value) > 1 and value[0] in QUOTES and value[0] == value[-1]:
        value = value[1:-1].strip(BLANK)
    return value


Text: TypeAlias = str
Flag: TypeAlias = bool
Texts: TypeAlias = list[str]


class Environment:
    """The variables of this process, and of a file for those that the process does not have."""

    def __init__(self, file: Path) -> None:
        """Raises `ImproperlyConfigured` for a file that is no text."""
        try:
            lines = ASSIGNMENT.sub(r"\1=", file.read_text("utf-8-sig"))
            environ.Env.read_env(io.StringIO(lines))
        except FileNotFoundError:
            pass  # nobody needs one
        except UnicodeDecodeError:
            raise ImproperlyConfigured(
                f"{file.name} is no text in UTF-8: save it as such"
            ) from None
        self._values = {
            name: value for name, given in os.environ.items() if (value := cleaned(given))
        }
        self._names: set[str] = set()

    @property
    def unknown(self) -> dict[Text, Text]:
        """Names that look like ours, but nobody asked for, so they have no effect; and the name
        that is meant by each, or an empty one.

        Ours begin with `CLAW_`, in capitals or not. Others are Django's and of services: of those
        only a name counts that is nearly one of them, which is not set itself."""
        found = {}
        for name in sorted(os.environ.keys() - self._names):
            ours = name.upper().startswith(PREFIX)
            near = get_close_matches(
                name.upper(), self._names, n=1, cutoff=NEAR_OURS if ours else NEAR_OTHERS
            )
            if ours or (near and near[0] not in os.environ):
                found[name] = near[0] if near else ""
        return found

    def str(self, name: Text, default: Text = "") -> Text:
        """Any text."""
        self._names.add(name)
        return self._values.get(name, default)

    def bool(self, name: Text, default: Flag) -> Flag:
        """`true` or `false`, and what is commonly written for them."""
        word = self.str(name).lower()
        if not word:
            return default
        if word not in YES | NO:
            raise ImproperlyConfigured(f"{name} is either true or false, not {word!r}")
        return word in YES

    def list(self, name: Text, default: Texts | None = None) -> Texts:
        """Texts between commas, without the blanks and quotes around each."""
        given = self.str(name)
        if not given:
            return [*(default or [])]
        return [item for part in given.split(",") if (item := cleaned(part))]

    def db(self, name: Text, default: Text) -> dict[Text, Any]:
        """A database of Django. The address holds a password: no error repeats it."""
        url = self.str(name, default)
        scheme = url.partition(":")[0].lower() if "://" in url else ""
        if scheme not in DATABASES:
            told = f", not {scheme}://" if scheme else ""
            raise ImproperlyConfigured(
                f"{name} begins with sqlite:/// or postgres://{told}. Such as "
                "sqlite:////srv/clawsite/db.sqlite3 or postgres://user:password@host:5432/name"
            )
        try:
            if scheme != "sqlite":
                urlsplit(url).port  # noqa: B018 - raises for a password with such signs
            return dict(environ.Env.db_url_config(scheme + url[len(scheme) :]))
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} cannot be read: in a password write %40 for @, %2F for /, %3A for : and "
                "%23 for #"
            ) from None

    def mail(self, name: Text) -> dict[Text, Any]:
        """Django's settings of mail: an SMTP server (`smtp+tls://user:password@host:587`), a folder
        (`file:///var/mail/clawsite`), or none, and mail is printed. No error repeats the address,
        which may hold a password."""
        url = self.str(name)
        if not url:
            return {"EMAIL_BACKEND": PRINTED}
        scheme = url.partition(":")[0].lower() if "://" in url else ""
        if scheme not in MAIL:
            raise ImproperlyConfigured(
                f"{name} begins with smtp://, smtp+tls://, smtp+ssl:// or file:///. Such as "
                "smtp+tls://user:password@mail.example.com:587 or file:///srv/mail"
            )
        if scheme == "file":
            backend = "django.core.mail.backends.filebased.EmailBackend"
            return {"EMAIL_BACKEND": backend, "EMAIL_FILE_PATH": urlsplit(url).path}
        try:
            config = environ.Env.email_url_config(scheme + url[len(scheme) :])
            return {**config, "EMAIL_TIMEOUT": MAIL_SECONDS}
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} cannot be read: in a password write %40 for @, %2F for / and %3A for :"
            ) from None
