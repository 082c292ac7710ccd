"""The HTTP API's errors: `{"error": {code, message, retryAfter?, details?, requestId}}`, or
in the form that the protocol of an address has for them.

Each one that is answered has a line in the log with the same `requestId`."""

import contextvars
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

from clawsite.http.cors import allow, is_preflight, look_up, preflight
from conversations.process.metrics import observe_error
from core.tracing import trace, traced
from engine.errors import ClawError, RunFailed
from wire.errors import status_of
from wire.facade.errors import envelope_at
from wire.parse import dumps

log = logging.getLogger(__name__)

FINAL = ("cancelled", "decision_required")
"""Codes of answers that clients of OpenAI would ask for again by themselves."""

View = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


def envelope(error: ClawError, request_id: str, path: str = "") -> HttpResponse:
    """The response for an error at an address, if that is known; `Retry-After` in seconds where
    waiting helps (RFC 9110)."""
    if not isinstance(error, RunFailed):
        observe_error(error.code)
    contextvars.copy_context().run(_say, error, request_id)
    body, status = dumps(envelope_at(path)(error, request_id)), status_of(error)
    response = HttpResponse(body, status=status, content_type="application/json")
    response["X-Content-Type-Options"] = "nosniff"
    if error.retry_after is not None:
        response["Retry-After"] = str(-(-error.retry_after // 1000))
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if error.code in FINAL:
        response["X-Should-Retry"] = "false"
    if error.code == "unsupported_encoding":
        response["Accept-Encoding"] = "identity"  # RFC 9110, 15.5.16
    if error.code == "method_not_allowed" and error.details:
        response["Allow"] = ", ".join(error.details["allow"])
    return response


def _say(error: ClawError, request_id: str) -> None:
    """Its line; without the message, which may name what the client sent."""
    trace(request=request_id)
    status = status_of(error)
    level = logging.WARNING if status >= 500 else logging.INFO
    log.log(level, "answered %d %s", status, error.code)


def with_envelope(view: View) -> View:
    """Answer every error of `view` in the envelope, and give every response the id of its request
    (see `clawsite.http.exchange`)."""

    async def answer(request: HttpRequest) -> HttpResponseBase:
        request_id = traced()["request"]
        request.origin_allowed = False
        refuse = partial(envelope, request_id=request_id, path=request.path)
        try:
            if is_preflight(request):
                response: HttpResponseBase = preflight(request)
            else:
                await look_up(request)
                response = await view(request)
        except ClawError as error:
            response = refuse(error)
        except Http404:
            response = refuse(ClawError("not_found", "There is nothing here."))
        except DisallowedHost:
            response = refuse(ClawError("not_found", "This host is not served here."))
        except RequestDataTooBig:
            problem = ClawError("message_too_large", "The request body is too large.")
            response = refuse(problem)
        except Exception:  # the last resort: no internals go out, all of them into the log
            log.exception("request failed")
            problem = ClawError("internal_error", "Something went wrong on our side.")
            response = refuse(problem)
        response["X-Request-ID"] = request_id
        response["X-Content-Type-Options"] = "nosniff"
        allow(request, response)
        if not response.streaming:
            response["Content-Length"] = str(len(response.content))
        return response

    return answer
