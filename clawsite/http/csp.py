"""The policy of the console's pages (https://www.w3.org/TR/CSP3/): nothing that is not ours, and no
script in the page itself. Pages that have a policy of their own keep it."""

from collections.abc import Awaitable, Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import async_only_middleware

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)

View = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@async_only_middleware
def with_policy(view: View) -> View:
    """Django middleware."""

    async def answer(request: HttpRequest) -> HttpResponseBase:
        response = await view(request)
        if settings.DEBUG and response.status_code >= 400:
            return response  # Django explains an error on a page with styles and scripts inside
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response

    return answer
