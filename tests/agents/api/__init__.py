"""Views without a server: they are synchronous functions of a request and a caller."""

import json
from typing import Any

from django.http import HttpRequest
from django.test import RequestFactory


def request(body: Any = None, *, query: str = "", **headers: str) -> HttpRequest:
    """A request with this JSON body."""
    data = b"" if body is None else json.dumps(body).encode()
    return RequestFactory().post(
        f"/?{query}", data, content_type="application/json", headers=headers
    )
