"""Requests that are carried out once, however often they are sent (`Idempotency-Key`)."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import RememberedRequest
from core.http import Answer
from engine.errors import ClawError, invalid

KEPT = timedelta(hours=24)
MAX_FORGOTTEN = 500  # at once: the next request waits for it
_KEY = re.compile(r"[ -~]{1,255}")


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A request that may have been sent before. `sender` is the API key it came with, or the
    visitor: another one may be allowed less, so it never gets this one's answer."""

    organization_id: str
    sender: str
    name: str
    fingerprint: str


def key_of(request: HttpRequest) -> str | None:
    """The `Idempotency-Key` header, if there is one. Raises `invalid_message`."""
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise invalid("Idempotency-Key", "This header has 1 to 255 printable ASCII characters.")
    return key


def fingerprint(request: HttpRequest) -> str:
    """SHA-256 of the address and the body: tells a retry from another request."""
    address = f"{request.method} {request.get_full_path()}\n"
    return hashlib.sha256(address.encode() + request.body).hexdigest()


@transaction.atomic
def once(attempt: Attempt, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """Returns the first response of `answer()` to an attempt, and the same again to every later
    one, without its secret.

    One transaction stores the effects of `answer` with its response. A duplicate of the same moment
    waits for it (the unique row is written first). Synchronous; raises `idempotency_conflict`, and
    every error of `answer`: errors are not remembered."""
    purge()
    place = {
        "organization_id": attempt.organization_id,
        "sender": attempt.sender,
        "name": attempt.name,
    }
    RememberedRequest.objects.filter(**place, created_at__lte=timezone.now() - KEPT).delete()
    row, new = RememberedRequest.objects.get_or_create(
        **place, defaults={"fingerprint": attempt.fingerprint}
    )
    if not new:
        return _again(row, attempt)
    response = answer()
    body = response.lasting if isinstance(response, Answer) else response.content
    row.status, row.body = response.status_code, body.decode()
    row.etag = response.get("ETag", "")
    row.save(update_fields=["status", "body", "etag"])
    return response


def recall(attempt: Attempt) -> HttpResponse | None:
    """The first answer to this request, if there is one. Raises `idempotency_conflict`."""
    row = RememberedRequest.objects.filter(
        organization_id=attempt.organization_id,
        sender=attempt.sender,
        name=attempt.name,
        created_at__gt=timezone.now() - KEPT,
    ).first()
    return row and _again(row, attempt)


def purge() -> int:
    """Forget some of what is older than 24 hours; returns how many requests that were, 0 once
    there are none left."""
    old = RememberedRequest.objects.filter(created_at__lte=timezone.now() - KEPT)
    some = list(old.values_list("pk", flat=True)[:MAX_FORGOTTEN])
    return RememberedRequest.objects.filter(pk__in=some).delete()[0] if some else 0


def _again(row: RememberedRequest, attempt: Attempt) -> HttpResponse:
    if row.fingerprint != attempt.fingerprint:
        raise ClawError(
            "idempotency_conflict", "This Idempotency-Key was used for another request."
        )
    headers = {"ETag": row.etag} if row.etag else None
    return HttpResponse(
        row.body, status=row.status, content_type="application/json", headers=headers
    )
