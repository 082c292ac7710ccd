"""Documents that are pages of the web: fetched through the guard, like every tenant's address."""

from urllib.parse import urlsplit

from django.conf import settings

from engine.http.guard import AddressRefused, Guard
from engine.http.page import MAX_BYTES, NotFetched, fetch
from knowledge.extraction.block import NotReadable
from knowledge.extraction.kinds import kind_of

REFUSED = "This address is not allowed. It must be https, and public."
TOO_LARGE = f"The page has more than {MAX_BYTES} bytes. Send it as a file."
UNKNOWN = "The address leads to no text, page, table, PDF or DOCX."


def guard() -> Guard:
    """The guard of this server's settings."""
    return Guard(settings.CLAW_ALLOW_PRIVATE_NETWORKS)


async def fetch_document(url: str) -> tuple[str, bytes]:
    """The kind and the bytes of what is at `url`. Raises `NotReadable`."""
    try:
        page = await fetch(url, guard())
    except AddressRefused:
        raise NotReadable(REFUSED) from None
    except NotFetched as failed:
        raise NotReadable(str(failed)) from None
    if page.cut:
        raise NotReadable(TOO_LARGE)
    # A server knows better than an ending what it has sent: `/index.md` is often a page.
    kind = kind_of("", page.content_type, page.body)
    if kind in (None, "text"):
        kind = kind_of(urlsplit(page.url).path, "", page.body) or kind
    if kind is None:
        raise NotReadable(UNKNOWN)
    return kind, page.body
