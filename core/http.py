"""Helpers that the REST views of every app share: JSON in and out, pages, preconditions,
refusals."""

import io
from collections.abc import Iterable, Sequence
from csv import writer
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from engine.errors import ClawError, invalid
from wire import parse
from wire.description.openapi import Parameter

T = TypeVar("T")

MAX_LIMIT = 200
DEFAULT_LIMIT = 50
PAGE = (
    Parameter(
        name="limit",
        schema={"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        description="At most so many.",
    ),
    Parameter(
        name="before",
        schema={"type": "string", "minLength": 1},
        description="The `nextCursor` of the page before.",
    ),
)
"""The parameters that `page_of` reads, as the API describes them."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is carried out by spreadsheets (https://owasp.org/www-community/attacks/
CSV_Injection); an apostrophe before it makes it a text."""


@dataclass(frozen=True)
class Page:
    """A page of rows: those after or before one of them (its id), at most `limit`."""

    before: str | None = None
    after: str | None = None
    limit: int = DEFAULT_LIMIT


class Answer(HttpResponse):
    """JSON. `lasting` is the body without what is shown this once, which nobody may store."""

    def __init__(
        self, value: Any, status: int = 200, *, secret: dict[str, str] | None = None
    ) -> None:
        self.lasting = parse.dumps(value)
        body = parse.dumps(msgspec.to_builtins(value) | secret) if secret else self.lasting
        super().__init__(body, status=status, content_type="application/json")
        if secret:
            self["Cache-Control"] = "no-store"


def read(decoder: msgspec.json.Decoder[T], request: HttpRequest) -> T:
    """The body as the decoder's type; an empty one is `{}`. Raises `invalid_message`."""
    return parse.decode(decoder, request.body or b"{}")


def given(body: msgspec.Struct) -> dict[str, Any]:
    """The fields that a body names: those whose value is not `UNSET`."""
    fields = msgspec.structs.asdict(body)
    return {name: value for name, value in fields.items() if value is not msgspec.UNSET}


def page_of(request: HttpRequest) -> Page:
    """`before`, `after` and `limit` of the query string. Raises `invalid_message`."""
    limit = number(request, "limit", DEFAULT_LIMIT) or 0
    if not 1 <= limit <= MAX_LIMIT:
        raise invalid("limit", f"The limit is 1 to {MAX_LIMIT}.")
    return Page(request.GET.get("before"), request.GET.get("after"), limit)


def newest(rows: QuerySet[Any], page: Page, by: str = "created_at") -> tuple[list[Any], str | None]:
    """A page of rows, the newest first by the time that `by` names, and the cursor of the next
    page.

    Raises `invalid_message` for a cursor that is none of them."""
    rows = rows.order_by(f"-{by}", "-id")
    if page.before is not None:
        last = None if "\0" in page.before else rows.filter(id=page.before).first()
        if last is None:
            raise invalid("before", "This is not the id of one of them.")
        time = getattr(last, by)
        rows = rows.filter(Q(**{f"{by}__lt": time}) | Q(**{by: time, "id__lt": last.id}))
    found = list(rows[: page.limit + 1])
    shown = found[: page.limit]
    return shown, shown[-1].id if len(found) > page.limit else None


def csv_of(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV (RFC 4180). None is an empty cell, and no text is a formula."""
    text = io.StringIO()
    writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def utc(moment: datetime) -> str:
    """A time as every answer has it (RFC 3339): `2026-11-20T10:44:59.219239Z`."""
    return moment.isoformat().replace("+00:00", "Z")


def utc_of_ms(moment: int) -> str:
    """A Unix time in ms, as every answer has it."""
    return utc(datetime.fromtimestamp(moment / 1000, UTC))


def flag(request: HttpRequest, name: str) -> bool:
    """A boolean of the query string. Raises `invalid_message`."""
    value = request.GET.get(name, "0").lower()
    if value not in ("0", "1", "true", "false"):
        raise invalid(name, "This is either 1 or 0.")
    return value in ("1", "true")


def number(request: HttpRequest, name: str, default: int | None = None) -> int | None:
    """A whole number of the query string. Raises `invalid_message`."""
    value = request.GET.get(name)
    if value is None:
        return default
    if not value.isascii() or not value.isdigit() or len(value) > 15:
        raise invalid(name, "This is a whole number.")
    return int(value)


def check_if_match(request: HttpRequest, etag: str) -> None:
    """`If-Match` (RFC 9110, 13.1.1): raises `precondition_failed` if what the client knows is not
    what is there now."""
    known = request.headers.get("if-match")
    if known is not None and not {etag, "*"}.intersection(parse_etags(known)):
        raise ClawError("precondition_failed", "It has changed since: read it again.")


def unchanged(request: HttpRequest, etag: str) -> bool:
    """`If-None-Match` (RFC 9110, 13.1.2): whether the client has this version already."""
    known = parse_etags(request.headers.get("if-none-match", ""))
    return not {etag, f"W/{etag}", "*"}.isdisjoint(known)


def refusal(error: ValidationError) -> ClawError:
    """The first problem that a model found in a field, as `invalid_message` with the field's JSON
    name."""
    if not hasattr(error, "error_dict"):
        return invalid("$", error.messages[0])
    field, messages = next(iter(error.message_dict.items()))
    first, *rest = field.strip("_").split("_")
    name = "$" if first == "all" else first + "".join(part.title() for part in rest)
    return invalid(name, messages[0])
