"""The HTTP API's errors: `{"error": {code, message, retryAfter?, details?, requestId}}`."""

import logging
from collections.abc import Awaitable, Callable

from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

from accounts.tracing import trace
from clawsite.cors import allow, is_preflight, look_up, preflight
from conversations.metrics import observe_error
from engine.errors import ClawError
from engine.ids import new_id
from wire.parse import dumps

log = logging.getLogger(__name__)

View = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


def envelope(error: ClawError, request_id: str) -> HttpResponse:
    """The response for an error; `Retry-After` in seconds where waiting helps (RFC 9110)."""
    observe_error(error.code)
    body = {"error": {**error.body(), "requestId": request_id}}
    response = HttpResponse(dumps(body), status=error.status, content_type="application/json")
    if error.retry_after is not None:
        response["Retry-After"] = str(-(-error.retry_after // 1000))
    if error.status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if error.code == "method_not_allowed" and error.details:
        response["Allow"] = ", ".join(error.details["allow"])
    return response


def with_envelope(view: View) -> View:
    """Answer every error of `view` in the envelope, and give every response its request id."""

    async def answer(request: HttpRequest) -> HttpResponseBase:
        request_id = new_id("req")
        trace(request=request_id)
        request.origin_allowed = False
        try:
            if is_preflight(request):
                response: HttpResponseBase = preflight(request)
            else:
                await look_up(request)
                response = await view(request)
        except ClawError as error:
            response = envelope(error, request_id)
        except Http404:
            response = envelope(ClawError("not_found", "There is nothing here."), request_id)
        except DisallowedHost:
            response = envelope(ClawError("not_found", "This host is not served here."), request_id)
        except RequestDataTooBig:
            problem = ClawError("message_too_large", "The request body is too large.")
            response = envelope(problem, request_id)
        except Exception:  # the last resort: no internals go out, all of them into the log
            log.exception("request failed")
            problem = ClawError("internal_error", "Something went wrong on our side.")
            response = envelope(problem, request_id)
        response["X-Request-ID"] = request_id
        allow(request, response)
        if not response.streaming:
            response["Content-Length"] = str(len(response.content))
        return response

    return answer
