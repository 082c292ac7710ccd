"""Public ids: prefixed, URL-safe, unguessable."""

import secrets

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHARACTERS = (ALPHABET * 5)[:256].encode()  # of a random byte
UNEVEN = bytes(range(4 * 62, 256))  # bytes that would make some characters likelier
LENGTH = 22  # 62**22 > 2**130: as unguessable as a UUID4, and shorter


def new_id(prefix: str) -> str:
    """A fresh id such as ``run_3kTMd0yJ8wQyFh2vSxNw1B``; `prefix` names the kind."""
    return f"{prefix}_{base62(LENGTH)}"


def base62(length: int) -> str:
    """`length` random characters of 0-9, A-Z, a-z (5.95 bits each)."""
    characters = b""
    while len(characters) < length:
        characters += secrets.token_bytes(length).translate(CHARACTERS, UNEVEN)
    return characters[:length].decode()
