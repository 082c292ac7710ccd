"""See `tests.wire.encoders.golden`."""

from tests.wire.encoders.golden import write

write()
