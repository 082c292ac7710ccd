"""Rotation of `CLAW_ENCRYPTION_KEYS`: a new key goes in front, then everything is written again."""

from collections.abc import Iterator
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, models, transaction

from accounts.encryption import EncryptedTextField, decrypt, encrypt, encryption_keys


@dataclass
class RotationState:
    """The number of stored secrets, of those under another key than the first, and of those that no
    key opens."""

    total: int = 0
    old: int = 0
    unreadable: int = 0


def rotation_state() -> RotationState:
    """Looks at every stored secret. Raises DatabaseError."""
    state = RotationState()
    stored = [token for model, field in _encrypted_fields() for _, token in _tokens(model, field)]
    for token in (*stored, *(token for _, _, token in _second_factors())):
        state.total += 1
        if _opens_first(token):
            continue
        try:
            decrypt(token)
        except ImproperlyConfigured:
            state.unreadable += 1
        else:
            state.old += 1
    return state


def rotate() -> RotationState:
    """Write everything that is under an old key again, under the first; what no key opens stays.

    Returns what was found. A row is locked for its own change only: the site goes on."""
    state = RotationState()
    for model, field in _encrypted_fields():
        for pk, token in _tokens(model, field):
            state.total += 1
            if not _opens_first(token):
                rewritten = _rewrite(model, field, pk)
                state.old += rewritten
                state.unreadable += not rewritten
    for pk, name, token in _second_factors():
        state.total += 1
        if not _opens_first(token):
            rewritten = _rewrite_factor(pk, name)
            state.old += rewritten
            state.unreadable += not rewritten
    return state


def _rewrite(model: type[models.Model], field: str, pk: object) -> bool:
    """False if no key opens it."""
    with transaction.atomic():
        rows = model._base_manager.select_for_update().filter(pk=pk)
        try:
            row = rows.first()
        except ImproperlyConfigured:
            return False
        if row is not None:  # or it was deleted in this moment
            row.save(update_fields=[field])
    return True


def _second_factors() -> list[tuple[int, str, str]]:
    """(primary key, name in its data, what the database holds) of the secret of each second factor;
    a passkey has none."""
    rows = Authenticator.objects.values_list("pk", "data")
    return [
        (pk, name, data[name]) for pk, data in rows for name in ("secret", "seed") if name in data
    ]


def _rewrite_factor(pk: int, name: str) -> bool:
    """False if no key opens it."""
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().filter(pk=pk).first()
        if row is None:  # deleted in this moment
            return True
        try:
            row.data[name] = encrypt(decrypt(row.data[name]))
        except ImproperlyConfigured:
            return False
        row.save(update_fields=["data"])
    return True


def _encrypted_fields() -> Iterator[tuple[type[models.Model], str]]:
    for model in apps.get_models():
        for field in model._meta.local_fields:
            if isinstance(field, EncryptedTextField):
                yield model, field.name


def _tokens(model: type[models.Model], name: str) -> list[tuple[object, str]]:
    """(primary key, what the database holds) of every row: the field itself would decrypt it."""
    quote, field = connection.ops.quote_name, model._meta.get_field(name)
    key, column, table = (
        quote(part) for part in (model._meta.pk.column, field.column, model._meta.db_table)
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {key}, {column} FROM {table} WHERE {column} IS NOT NULL")
        return list(cursor.fetchall())


def _opens_first(token: str) -> bool:
    """Whether the first key wrote it."""
    try:
        Fernet(encryption_keys()[0]).decrypt(token.encode())
    except (InvalidToken, IndexError, ValueError):
        return False
    return True
