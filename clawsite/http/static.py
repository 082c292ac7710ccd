"""Static files straight from the folders they lie in: no collect step, no second server.

What the bundler has packed lies compressed beside itself, and is sent so to who takes it; a file
with a hash in its name never changes."""

from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from servestatic import ServeStaticASGI

HASHED = r"/dist/[\w.-]+-[0-9A-Z]{8}\.js$"


def static_app(fallback: Any) -> ServeStaticASGI:
    """An ASGI application for everything below `STATIC_URL`; what it does not know goes to
    `fallback`."""
    app = ServeStaticASGI(fallback, immutable_file_test=HASHED)
    folders = {
        storage.location: None
        for finder in get_finders()
        for _, storage in finder.list(ignore_patterns=[])
    }
    for folder in folders:
        app.add_files(folder, prefix=settings.STATIC_URL)
    return app
