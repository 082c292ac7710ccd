"""From an address to a view: the method, the caller, the database step, `Idempotency-Key`."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from inspect import iscoroutinefunction
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase

from accounts import idempotency
from agents.caller import Caller
from conversations.transports.http import caller_of
from core.database import database_step
from core.http import refusal
from engine.errors import ClawError

View = Callable[..., Any]
Route = Callable[..., Awaitable[HttpResponseBase]]


def chat(**methods: View) -> Route:
    """An address that starts runs: its views find the agent, and so the caller, in the body, and
    take `Idempotency-Key` for the name of the message."""

    async def route(request: HttpRequest, **names: str) -> HttpResponseBase:
        check_method(request, methods)
        response: HttpResponseBase = await methods[request.method or ""](request, **names)
        return response

    return route


def managed(**methods: View) -> Route:
    """Any other address: for each method a view that gets the caller, who is authorised for the
    agent that the address or `?agentId=` names.

    A synchronous view is one database step. With an `Idempotency-Key` a POST is carried out once:
    a synchronous one exactly (its rows and its answer are one transaction), a coroutine, which may
    only do what may be done twice at the same moment, from then on. What must be done once a
    coroutine returns as a synchronous function: that is carried out like a synchronous view."""

    async def route(
        request: HttpRequest, slug: str | None = None, agent_id: str | None = None, **names: str
    ) -> HttpResponseBase:
        check_method(request, methods)
        view = methods[request.method or ""]
        caller = await caller_of(request, slug, agent_id or request.GET.get("agentId"))
        if request.method == "POST" and (key := idempotency.key_of(request)) is not None:
            attempt = idempotency.Attempt(
                organization_id=caller.principal.organization_id,
                sender=caller.principal.id,
                name=key,
                fingerprint=idempotency.fingerprint(request),
            )
            return await _once(attempt, view, request, caller, names)
        return await _call(view, request, caller, names)

    return route


async def _once(
    attempt: idempotency.Attempt,
    view: View,
    request: HttpRequest,
    caller: Caller,
    names: dict[str, str],
) -> HttpResponseBase:
    if not iscoroutinefunction(view):
        return await database_step(
            idempotency.once, attempt, partial(_step, view, request, caller, **names)
        )
    if known := await database_step(idempotency.recall, attempt):
        return known
    answer = await view(request, caller, **names)
    step = partial(_step, answer) if callable(answer) else lambda: answer
    return await database_step(idempotency.once, attempt, step)


async def _call(
    view: View, request: HttpRequest, caller: Caller, names: dict[str, str]
) -> HttpResponseBase:
    if iscoroutinefunction(view):
        response = await view(request, caller, **names)
        return await database_step(_step, response) if callable(response) else response
    return await database_step(_step, view, request, caller, **names)


def _step(view: View, *args: Any, **names: str) -> Any:
    try:
        return view(*args, **names)
    except ValidationError as error:
        raise refusal(error) from None


def check_method(request: HttpRequest, methods: Iterable[str]) -> None:
    """Raises `method_not_allowed`, with those that are (RFC 9110, 15.5.6)."""
    allowed = list(methods)
    if request.method not in allowed:
        raise ClawError(
            "method_not_allowed", f"Use {' or '.join(allowed)}.", details={"allow": allowed}
        )
