"""Static files straight from the folders they lie in: no collect step, no second server."""

from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from servestatic import ServeStaticASGI


def static_app(fallback: Any) -> ServeStaticASGI:
    """An ASGI application for everything below `STATIC_URL`; what it does not know goes to
    `fallback`."""
    app = ServeStaticASGI(fallback)
    folders = {
        storage.location: None
        for finder in get_finders()
        for _, storage in finder.list(ignore_patterns=[])
    }
    for folder in folders:
        app.add_files(folder, prefix=settings.STATIC_URL)
    return app
