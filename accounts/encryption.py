"""Secrets at rest: a text field that the database holds encrypted only.

The keys are `CLAW_ENCRYPTION_KEYS`: the first one writes, all of them read, so a new key is put
in front and the old one stays until everything has been written again."""

import base64
import hashlib
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models


def encryption_keys() -> list[str]:
    """The keys in use, the writing one first; empty if production has none."""
    if settings.CLAW_ENCRYPTION_KEYS or not settings.DEBUG:
        return list(settings.CLAW_ENCRYPTION_KEYS)
    derived = hashlib.sha256(b"clawsite.encryption:" + settings.SECRET_KEY.encode()).digest()
    return [base64.urlsafe_b64encode(derived).decode()]


def encrypt(text: str) -> str:
    """A Fernet token of `text`, under the first key."""
    return _fernet(tuple(encryption_keys())).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """The text of a token; raises ImproperlyConfigured if no key fits it."""
    try:
        return _fernet(tuple(encryption_keys())).decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise ImproperlyConfigured(
            "A stored secret fits none of CLAW_ENCRYPTION_KEYS: put the key that wrote it back."
        ) from error


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ImproperlyConfigured("CLAW_ENCRYPTION_KEYS is empty: secrets cannot be stored.")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise ImproperlyConfigured("CLAW_ENCRYPTION_KEYS has a key that is none.") from None


class EncryptedTextField(models.TextField):
    """Text that is encrypted on its way into the database and decrypted on its way out."""

    def get_prep_value(self, value: Any) -> str | None:
        """The Fernet token that the database stores."""
        return None if value is None else encrypt(str(value))

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        """The plain text again."""
        return None if value is None else decrypt(value)

    def get_lookup(self, lookup_name: str) -> Any:
        """Refuse to be searched: the same text is never encrypted the same way twice."""
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted and cannot be searched.")
        return super().get_lookup(lookup_name)
