"""One classifier for the three ways in which a model server refuses: an HTTP status, a JSON body
with status 200, and an error event within the stream.

The server's own code decides, in any spelling (`rate_limit_error`, `RateLimitError`,
`RESOURCE_EXHAUSTED`), then the status, then the words. Money is not load: an account without
quota or credits stays refused however long one waits, also where the status is 429.
"""

import re
import time
from collections.abc import Mapping
from typing import Literal, TypeAlias

from engine.errors import ProviderError
from engine.http.connection import REFUSAL_BYTES
from engine.providers.server.compression import Inflater
from engine.providers.server.refusals.complaints import Complaint, read_body
from engine.providers.server.refusals.faults import fault, without
from engine.providers.server.refusals.waits import header_wait, spoken_wait

Kind: TypeAlias = Literal["money", "load", "timeout", "server", "request"]

OVERLOADED = frozenset({429, 503, 529})
TIMED_OUT = frozenset({408, 504})
NO_MONEY = 402

# Names without case and signs: `insufficient_quota` is `insufficientquota`.
MONEY_NAMES = re.compile(
    r"insufficient(quota|credit|balance|fund|user)|billing|credit(s)?(balance|exhausted|limit)"
    r"|outofcredit|(no|notenough)(credit|balance|fund|quota)|paymentrequired|budget|spend(ing)?limit|arrears|overdue"
)
QUOTA_NAMES = re.compile(r"quota|usagelimit")
LOAD_NAMES = re.compile(
    r"ratelimit|toomanyrequests|overload|resource(s)?exhausted|throttl|slowdown|capacity"
    r"|unavailable(?!for)|server(is)?busy|enginebusy|concurren(t|cy)|toomanytokens"
)
TIMEOUT_NAMES = re.compile(r"timeout|timedout|deadlineexceeded")
SERVER_NAMES = re.compile(
    r"^(api|server|internal|internalserver|internalservice|service|upstream|provider|backend"
    r"|engine|modelstream|modelerror|aborted|badgateway|unknown)(error|exception|failure|fault)*$"
)

MONEY_WORDS = re.compile(
    r"credit balance|insufficient.(quota|credit|balance|account balance|funds)|out of credits?\b"
    r"|more credits|no credits|can only afford|payment required|negative balance"
    r"|not enough (credit|balance|quota|funds)|used all .{0,20}credits|included credits"
    r"|(balance|credits|funds) (is|are) (insufficient|too low|low|depleted|exhausted|negative)"
    r"|in arrears|spend(ing)? (limit|cap)|balance (is )?not enough|top.?up your"
    r"|billing hard limit|account is not active|budget has been exceeded|exceeded.?budget"
)
QUOTA_WORDS = re.compile(r"exceeded (your|the|its) .{0,20}quota|quota .{0,20}exceeded|usage limit")
LOAD_WORDS = re.compile(
    r"rate.?limit|too many (requests|tokens)|overload|at capacity|throttl|resource.{0,10}exhausted"
    r"|temporarily unavailable|server is busy"
)


def refused(
    complaint: Complaint,
    *,
    secret: str,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> ProviderError:
    """The error for what a server complains of. `status` None: it said it with 200, or within
    the stream. The server's words, without the secret, are the error's `reason`."""
    now = time.time()
    wait = header_wait(headers or {}, now)
    if wait is None:
        wait = complaint.wait
    if wait is None:
        wait = header_wait(complaint.headers, now)
    if wait is None:
        wait = next(filter(None, map(spoken_wait, complaint.texts)), None)
    kind = _kind(complaint, status, waits=bool(wait))
    where = "in the answer" if status is None else f"HTTP {status}"
    reason = without(secret, " ".join(f"{where} ({kind}): {complaint.words()}".split()))
    if kind in ("money", "request"):
        return fault("upstream_error", reason, retryable=False)
    code = {"load": "upstream_overloaded", "timeout": "upstream_timeout"}.get(kind)
    return fault(code or "upstream_error", reason, retry_after=wait)


class Refusal:
    """A response that is no answer, as far as its body was read. `status` None: it came with 200,
    and its body says that it is an error."""

    def __init__(self, status: int | None, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.status, self.headers = status, headers
        self.body = bytearray(body)
        self._readable = True

    def add(self, data: bytes, inflater: Inflater | None = None) -> None:
        """More of the body, as far as it can be read."""
        try:
            for piece in inflater.feed(data) if inflater else [data]:
                if self._readable:
                    self.body += piece[: REFUSAL_BYTES - len(self.body)]
        except ProviderError as error:  # it says nothing to us; the log tells why
            self._readable = False
            self.body[:] = f"a body that cannot be read: {error.reason}".encode()

    def complaint(self) -> Complaint:
        """The complaint in the server's words."""
        return read_body(bytes(self.body))

    def error(self, secret: str) -> ProviderError:
        """The error in our words."""
        complaint = self.complaint()
        return refused(complaint, secret=secret, status=self.status, headers=self.headers)


def _kind(complaint: Complaint, status: int | None, *, waits: bool) -> Kind:
    """The kind of a refusal. One that names a wait and only a quota is a limit of requests."""
    names = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in complaint.names]
    words = " ".join(complaint.texts).lower()
    statuses = [*complaint.statuses, status]

    def named(pattern: re.Pattern[str]) -> bool:
        return any(map(pattern.search, names))

    if NO_MONEY in statuses or named(MONEY_NAMES) or MONEY_WORDS.search(words):
        return "money"
    if named(LOAD_NAMES):
        return "load"
    if named(TIMEOUT_NAMES):
        return "timeout"
    limited = LOAD_WORDS.search(words) is not None
    if not waits and not limited and (named(QUOTA_NAMES) or QUOTA_WORDS.search(words)):
        return "money"
    for number in statuses:
        if number in OVERLOADED:
            return "load"
        if number in TIMED_OUT:
            return "timeout"
    told = next((number for number in statuses if number is not None), None)
    if limited and (told in (None, 400) or (told or 0) >= 500):
        return "load"
    if told is not None:
        return "server" if told >= 500 else "request"
    return "server" if named(SERVER_NAMES) else "request"
