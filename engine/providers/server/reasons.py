"""Translates the stop reasons of model servers into ours.

The reason decides what an answer is: whole, cut on purpose, or broken off. Each server spells it as
it likes, so only the letters count.
"""

import re
from typing import Any

from engine.providers.server.lenient import first_of, name_of

BROKEN_OFF = "broken_off"
"""The server gave up, so the answer is incomplete."""
CUT = frozenset({"max_tokens", "context_window_exceeded", "refusal"})
"""The answer was cut, so its last tool call may be incomplete. All other reasons, also unknown
ones, are those of a whole answer."""
MAX_REASON = 64  # characters; it is shown

_SPELLINGS = {
    "end_turn": "stop eos eostoken endturn end complete completed done finished stoptoken",
    "stop_sequence": "stopsequence stopsequences",
    "tool_use": "tooluse toolcalls toolcall functioncall functioncalls",
    "max_tokens": "length maxtokens maxoutputtokens maxnewtokens maxlength tokenlimit",
    "context_window_exceeded": "modellength modelcontextwindowexceeded contextwindowexceeded"
    " contextlengthexceeded contextlength errorlimit",
    "refusal": "contentfilter contentfiltered refusal safety recitation blocklist spii"
    " prohibitedcontent imagesafety sensitive guardrailintervened errortoxic moderation",
    "pause_turn": "pauseturn",
    BROKEN_OFF: "abort aborted error cancel cancelled canceled usercancel timeout networkerror"
    " servererror insufficientsystemresource malformedfunctioncall",
}
_NAMES = {spelling: name for name, said in _SPELLINGS.items() for spelling in said.split()}
_LIKE = {
    "max_tokens": re.compile(
        "length|max.*token|token.*limit|output.*limit|truncat|incomplete|toolong"
    ),
    "refusal": re.compile(
        "filter|safety|blocked|policy|violation|refus|moderat|guardrail|prohibit|flagged|harmful|toxic"
    ),
    BROKEN_OFF: re.compile("error|abort|cancel|fail|interrupt|disconnect|timedout|malformed"),
}
"""Patterns for reasons that stand in no list: a cut must not pass for an end."""
_NONE = frozenset({"", "null", "none", "unspecified"})


def read_reason(said: Any) -> str | None:
    """Our name for the reason; an unknown reason as it is; None if there is none."""
    if isinstance(said, list):
        said = next(filter(None, said), None)
    if isinstance(said, dict):
        said = first_of(said, ("type", "reason"))
    text = (name_of(said) or "").strip()
    letters = re.sub("[^a-z]", "", text.rpartition(".")[2].casefold())
    letters = letters.removeprefix("finishreason").removeprefix("stopreason")
    numbered = re.search("[1-9]", text)  # 0 is the enumeration's word for none
    if letters in _NONE and text.isascii() and not numbered:
        return None
    if letters in _NAMES:
        return _NAMES[letters]
    likely = (name for name, pattern in _LIKE.items() if pattern.search(letters))
    return next(likely, text[:MAX_REASON])


def worse(before: str | None, reason: str | None) -> str | None:
    """The one of two reasons that counts: an answer that was cut stays cut, whatever follows."""
    if reason is None or (before is not None and (before in CUT or before == BROKEN_OFF)):
        return before
    return reason
