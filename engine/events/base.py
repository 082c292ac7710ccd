"""The base of all events of a run."""

from typing import ClassVar

import msgspec


class Event(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="type",
    rename="camel",
    omit_defaults=True,
    gc=False,
):
    """The four fields that the log adds to every event (`seal`)."""

    brief: ClassVar[bool] = False
    """Brief events (several a second) carry only `runId` and `seq`."""
    internal: ClassVar[bool] = False
    """True for events that only later attempts read; no watcher gets them."""

    run_id: str = ""
    seq: int = 0
    conversation_id: str = ""
    message_id: str = ""

    @property
    def type(self) -> str:
        return str(self.__struct_config__.tag)
