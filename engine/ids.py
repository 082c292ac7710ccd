"""Public ids: prefixed, URL-safe, unguessable."""

import hashlib
import secrets

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHARACTERS = (ALPHABET * 5)[:256].encode()  # of a random byte
UNEVEN = bytes(range(4 * 62, 256))  # bytes that would make some characters likelier
LENGTH = 22  # 62**22 > 2**130: as unguessable as a UUID4, and shorter


def new_id(prefix: str) -> str:
    """A fresh id such as ``run_3kTMd0yJ8wQyFh2vSxNw1B``; `prefix` names the kind."""
    return f"{prefix}_{base62(LENGTH)}"


def child_id(run_id: str, call_id: str) -> str:
    """The id of the run in which another agent carries out a call of a run: of each call always the
    same, so that no call begins two runs."""
    number = int.from_bytes(hashlib.sha256(f"{run_id} {call_id}".encode()).digest())
    return "run_" + "".join(ALPHABET[number // 62**place % 62] for place in range(LENGTH))


def joined(*parts: str) -> str:
    """One name of several parts, such as ``visitor:agt_1:user%3A42``: no two lists of parts have
    the same, whatever is in them."""
    return ":".join(part.replace("%", "%25").replace(":", "%3A") for part in parts)


def base62(length: int) -> str:
    """`length` random characters of 0-9, A-Z, a-z (5.95 bits each)."""
    characters = b""
    while len(characters) < length:
        characters += secrets.token_bytes(length).translate(CHARACTERS, UNEVEN)
    return characters[:length].decode()
