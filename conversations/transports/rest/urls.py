"""The API's addresses; mounted at `/api/` and at `/a/<slug>/api/`."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from django.urls import URLPattern, path

from conversations.transports.rest.operations import ASK, MANAGE
from conversations.transports.rest.routing import Route, View, chat, managed
from wire.description.openapi import Operation


def patterns_of(
    door: Callable[..., Route], operations: Iterable[Operation]
) -> Iterator[URLPattern]:
    """One for each address, in the order of the table, with all of its methods."""
    views: dict[str, dict[str, View]] = defaultdict(dict)
    for operation in operations:
        views[operation.path][operation.method] = operation.view
    return (path(address, door(**methods)) for address, methods in views.items())


urlpatterns = [*patterns_of(chat, ASK), *patterns_of(managed, MANAGE)]
