"""`conversations.transports.facade.uploads`: files that come within a request of OpenAI's."""

import base64
from typing import Any

import pytest

from core.database import database_step
from files.models import File
from tests.asgi import ask

pytestmark = pytest.mark.usefixtures("services")

TEXT = b"The parcel is in Bremen."
NONSENSE = b"\x00\x01\x02"


def asks(*contents: bytes) -> dict[str, Any]:
    """A question with files."""
    parts: list[dict[str, Any]] = []
    for number, content in enumerate(contents):
        data = "data:text/plain;base64," + base64.b64encode(content).decode()
        file = {"filename": f"note-{number}.txt", "file_data": data}
        parts.append({"type": "file", "file": file})
    parts.append({"type": "text", "text": "Read it."})
    return {"model": "helper", "messages": [{"role": "user", "content": parts}]}


async def test_a_file_is_stored_with_its_message(key) -> None:
    status, told = await ask("POST", "/v1/chat/completions", asks(TEXT), token=key[1])
    assert status == 200 and told["choices"][0]["message"]["content"]
    row = await database_step(File.objects.get)
    assert (row.name, row.size) == ("note-0.txt", len(TEXT))


async def test_a_file_that_nobody_reads_is_refused(key) -> None:
    status, told = await ask("POST", "/v1/chat/completions", asks(NONSENSE), token=key[1])
    assert status == 400 and told["error"]["message"]
    assert not await database_step(File.objects.exists)


async def test_files_have_a_number_and_a_size(key, settings) -> None:
    settings.CLAW_MAX_FILES_PER_MESSAGE, settings.CLAW_MAX_FILE_BYTES = 1, 100
    for files, expected in (((TEXT, TEXT), 400), ((b"x" * 101,), 413)):
        status, _ = await ask("POST", "/v1/chat/completions", asks(*files), token=key[1])
        assert status == expected
    assert not await database_step(File.objects.exists)
