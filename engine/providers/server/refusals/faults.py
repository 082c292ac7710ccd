"""The errors for a model server's failures, alike for every provider.

| what happened | code | retryable |
|---|---|---|
| too many requests, an overload (429, 503, 529) | upstream_overloaded | yes, `retry_after` |
| 408, 504, no progress for too long | upstream_timeout | yes |
| other 5xx, no connection, nonsense in the stream | upstream_error | yes |
| no money left: quota, credits, billing (402) | upstream_error | no |
| other 4xx, a redirect, an address that we refuse | upstream_error | no |
| the answer broke off | upstream_truncated | yes |

`refusals.classifier` chooses one by the server's words and status.
"""

import re

from engine.errors import ProviderError

MESSAGES = {
    "upstream_error": "The model server could not answer.",
    "upstream_overloaded": "The model server is overloaded. Please try again in a moment.",
    "upstream_timeout": "The model server did not answer in time.",
    "upstream_truncated": "The model server broke off the answer.",
}
REASON_CHARS = 500

_KEYS = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|key)-[\w-]{8,}|\bAIza[\w-]{20,}|\bbearer\s+[\w.~+/=-]{8,}",
    re.IGNORECASE,
)
"""Text that looks like a key: a gateway may repeat one of its own, which we do not know."""


def fault(
    code: str, reason: str, *, retryable: bool = True, retry_after: int | None = None
) -> ProviderError:
    """An error with our words; `reason` is for the log."""
    return ProviderError(
        code,
        MESSAGES[code],
        retryable=retryable,
        reason=reason[:REASON_CHARS],
        retry_after=retry_after,
    )


def without(secret: str, text: str) -> str:
    """`text` without the secret and all that looks like one: a server may repeat what it was
    sent."""
    text = text.replace(secret, "[key]") if secret else text
    return _KEYS.sub("[key]", text)
