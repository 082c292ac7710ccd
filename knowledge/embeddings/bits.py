"""A column of bits."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class BitsField(models.BinaryField):
    """Bytes whose bits PostgreSQL can count (`bit varying`); elsewhere they are plain bytes."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """The type of the column."""
        return "bit varying" if connection.vendor == "postgresql" else super().db_type(connection)

    def get_db_prep_value(
        self, value: bytes, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        """The bytes as PostgreSQL reads bits."""
        if connection.vendor == "postgresql":
            return in_digits(value)
        return super().get_db_prep_value(value, connection, prepared)


def in_digits(value: bytes) -> str:
    """The bits of some bytes as the digits 0 and 1."""
    return f"{int.from_bytes(value):0{len(value) * 8}b}"
