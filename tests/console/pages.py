"""Every page of the console, read from the URL configuration, so that none is forgotten."""

from collections.abc import Iterator

from django.urls import URLPattern, reverse

from console.urls import pages

ROLES = ("owner", "admin", "member", "viewer")


def patterns() -> Iterator[URLPattern]:
    """The patterns below `/console/<org>/`."""
    for pattern in pages:
        assert isinstance(pattern, URLPattern)
        yield pattern


def address(pattern: URLPattern, org: str, names: dict[str, str | int]) -> str:
    """The address of a page of this organisation."""
    wanted = {name: names[name] for name in pattern.pattern.converters}
    return reverse(f"console:{pattern.name}", kwargs={"org": org, **wanted})
