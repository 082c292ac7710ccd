"""The answer of the child process."""

import msgspec

from knowledge.extraction.chunk import Passage


class Extracted(msgspec.Struct, frozen=True):
    """The passages of a file, and its title if it says one; or why there are none."""

    passages: list[Passage] = []
    title: str = ""
    error: str = ""
