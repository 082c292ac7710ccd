"""Vectors as they are stored and compared, without a library for numbers.

A comparison of 1536 floats takes Python 60 us, so a search reads the signs of all vectors, and the
nearest whole. Of unit vectors the more signs agree, the smaller the angle is
(Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002)."""

import math
from array import array
from collections.abc import Sequence
from operator import mul
from typing import NamedTuple

MAX_DIMENSIONS = 8192


class Vector(NamedTuple):
    """A vector of length 1: its float32 values, and a bit for each that is positive."""

    values: bytes
    signs: bytes


def vector(numbers: Sequence[float]) -> Vector:
    """Raises `ValueError` for what has no direction, or too many dimensions."""
    length = math.hypot(*numbers)
    if not (0 < length < math.inf) or len(numbers) > MAX_DIMENSIONS:
        raise ValueError("not a vector with a direction")
    values = array("f", [number / length for number in numbers])
    bits = "".join("1" if value > 0 else "0" for value in values)
    return Vector(values.tobytes(), int(bits, 2).to_bytes((len(bits) + 7) // 8))


def cosine(one: bytes, other: bytes) -> float:
    """The cosine of the angle between the values of two vectors of as many dimensions."""
    return sum(map(mul, array("f", one), array("f", other)))


def distance(one: bytes, other: bytes) -> int:
    """The number of signs that differ between two vectors."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()
