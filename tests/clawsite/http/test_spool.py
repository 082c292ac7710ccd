"""`clawsite.http.spool`: a large response waits for its reader on disk."""

import os
from pathlib import Path

import pytest
from django.http import HttpResponse, StreamingHttpResponse

from clawsite.http import spool
from clawsite.http.spool import LARGE, PIECE, on_disk


def response(size: int) -> HttpResponse:
    body = os.urandom(size)
    return HttpResponse(body, status=404, content_type="application/json", headers={"X-A": "b"})


async def test_it_works() -> None:
    """P15: the same response, in pieces, and its file goes with it."""
    given = response(LARGE + 1)
    stored = on_disk(given)
    assert isinstance(stored, StreamingHttpResponse)
    pieces = [piece async for piece in stored]
    assert b"".join(pieces) == given.content
    assert max(map(len, pieces)) <= PIECE
    assert stored.status_code == 404
    expected = {"Content-Type": "application/json", "X-A": "b", "Content-Length": str(LARGE + 1)}
    assert dict(stored.items()) == expected
    stored.close()


@pytest.mark.django_db  # the end of a response also looks at the connections of its thread
def test_the_file_is_closed_with_the_response() -> None:
    before = files_without_a_name()
    stored = on_disk(response(LARGE + 1))
    (file,) = files_without_a_name() - before
    stored.close()
    assert file not in files_without_a_name()


def files_without_a_name() -> set[str]:
    """Those that this process has open, each as the system calls it."""
    open_ = Path("/proc/self/fd").iterdir()
    targets = (os.readlink(each) for each in open_ if each.is_symlink())
    return {target for target in targets if target.endswith(" (deleted)")}


@pytest.mark.parametrize("size", [0, LARGE])
def test_others_stay_as_they_are(size: int) -> None:
    given = response(size)
    assert on_disk(given) is given
    stream = StreamingHttpResponse([b"x" * (LARGE + 1)])
    assert on_disk(stream) is stream


def test_a_full_disk_refuses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(content: bytes) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(spool, "written", full)
    given = response(LARGE + 1)
    assert on_disk(given) is given
