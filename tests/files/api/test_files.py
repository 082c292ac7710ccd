"""`files.api.files`: what may be uploaded, and how it is given back."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory

from core.database import database_step
from engine.errors import ClawError
from files import access
from files.api import files
from files.inspection.result import Inspected
from tests.agents.api import request
from tests.agents.callers import having
from tests.files.samples import image


def upload(name, content, part="file"):
    return RequestFactory().post("/", {part: SimpleUploadedFile(name, content, "text/html")})


async def test_it_works(caller):
    answer = await files.create(upload("a.html", image("PNG")), caller)
    made = json.loads(answer.content)
    assert (answer.status_code, made["name"], made["mediaType"]) == (201, "a.html", "image/png")
    given = await files.show(request(), caller, made["id"])
    assert (given["content-type"], len(given.content)) == ("image/png", made["bytes"])
    assert given["x-content-type-options"] == "nosniff"
    assert given["content-security-policy"] == "default-src 'none'; sandbox"
    assert given["cache-control"].startswith("private")


async def test_a_text_runs_nothing(caller):
    found = Inspected("text/plain", b"<script>alert(1)</script>", 3)
    row = await database_step(access.add_file, caller, 'x"\r\n.html', found)
    given = await files.show(request(), caller, row.pk)
    assert given["content-type"] == "text/plain; charset=utf-8"
    assert given["content-disposition"] == "attachment; filename*=UTF-8''x%22%0D%0A.html"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (upload("a.svg", b"<svg></svg>"), "invalid_message"),
        (upload("a.png", b"x", part="other"), "invalid_message"),
        (request({"file": "x"}), "invalid_message"),
        (upload("a.txt", b"x" * 101), "message_too_large"),
    ],
)
async def test_what_is_no_file_is_refused(caller, settings, given, code):
    settings.CLAW_MAX_FILE_BYTES = 100
    with pytest.raises(ClawError) as raised:
        await files.create(given, caller)
    assert raised.value.code == code


async def test_each_needs_its_scope(caller):
    poor = having(caller, scopes=frozenset({"agents:read"}))
    for view in (
        files.create(upload("a", b"x"), poor),
        files.show(request(), poor, "file_x"),
    ):
        with pytest.raises(ClawError) as raised:
            await view
        assert raised.value.code == "forbidden"
