"""The parameters that a model server refuses by name: later calls leave them out.

Servers of one API know different parameters, and say so only when one is sent: `stream_options` is
unknown to some, `temperature` to models that reason, and the limit of an answer has two names.
"""

import logging
import re
from collections import OrderedDict
from collections.abc import Mapping, Set
from typing import Any

from engine.providers.server.refusals.classifier import Refusal
from engine.providers.server.refusals.complaints import Complaint

log = logging.getLogger(__name__)

MAX_MODELS = 500  # of one server that are remembered; the one that was used last is kept longest
MAX_REPEATS = 5  # of one call: most servers name one parameter at a time

WRONG_PARAMETER = frozenset({400, 422})  # statuses of a refused parameter
UNKNOWN = re.compile(
    r"unsupported|not supported|does(n.t| not) support|unrecogni[sz]ed|unknown|was unexpected"
    r"|unexpected (keyword|field|param|propert|argument|key|name)|no such|cannot find field"
    r"|extra.?(forbidden|input|field|param|key|argument|propert)|additional.?propert|deprecated"
    r"|not (permitted|allowed|available|implemented|recogni[sz]ed|a valid (param|field|key|arg))"
)
"""Words of servers for a parameter that they do not know, or not with this model."""

VALUE = re.compile(
    r"\b(too (large|high|big|small|low|long)|greater|less than|exceeds?|at (most|least)|range)\b"
)
"""Words of servers for a wrong value. Neither another name nor leaving it out would help."""


class Parameters:
    """The parameters that one server has refused, for each model."""

    def __init__(self, required: Set[str], other_names: Mapping[str, str] | None = None) -> None:
        """`required` are never left out: without them the answer is another one, or has no limit.
        `other_names`: what to call a parameter whose name is refused."""
        self._required, self._other_names = required, other_names or {}
        self._left_out: OrderedDict[str, frozenset[str]] = OrderedDict()

    def accepted(self, model: str, body: dict[str, Any]) -> dict[str, Any]:
        """The body without what was refused, or by the other name."""
        refused = self._left_out.get(model)
        if not refused:
            return body
        self._left_out.move_to_end(model)
        return {
            self._other_names.get(name, name) if name in refused else name: value
            for name, value in body.items()
            if name not in refused or name in self._other_names
        }

    def learn(self, model: str, sent: Mapping[str, Any], refusal: Refusal, tried: set[str]) -> bool:
        """Whether the call may be repeated, because the refusal names a parameter that was `sent`
        and can be left out. `tried` are those that this call has lost already."""
        name = refused_name(sent, refusal, self._required)
        if name is None or len(tried) >= MAX_REPEATS:
            return False
        known = self._left_out.get(model, frozenset())
        if other := self._other_names.get(name):
            # A parameter that is refused under both names is sent under the first one again.
            known = known - {other} if other in known else known | {name}
            self._remember(model, known)
            repeat = other not in tried
            tried.add(name)
            return repeat
        if name in self._required:
            return False
        log.warning("a model server refuses %s for %s: it is left out", name, model)
        self._remember(model, known | {name})
        tried.add(name)
        return True

    def _remember(self, model: str, names: frozenset[str]) -> None:
        self._left_out[model] = names
        self._left_out.move_to_end(model)
        while len(self._left_out) > MAX_MODELS:
            self._left_out.popitem(last=False)


def refused_name(
    sent: Mapping[str, Any], refusal: Refusal, required: Set[str] = frozenset()
) -> str | None:
    """The parameter whose name a server refuses, and not its value; None if it refuses none.

    The `required` ones are such words as “model”: within a sentence they count in quotes only."""
    complaint = refusal.complaint()
    statuses = {refusal.status, *complaint.statuses} - {None}
    words = " ".join([*complaint.names, *complaint.texts]).lower()
    said = words.replace("_", " ")
    if (
        (statuses and not statuses & WRONG_PARAMETER)
        or not UNKNOWN.search(said)
        or VALUE.search(said)
    ):
        return None
    if complaint.fields:
        return _first_field(sent, complaint)
    # The first one: what is refused is said before what would be accepted.
    found = {
        match.start(): name
        for name in sent
        if (match := re.search(_mention(name.lower(), name in required), words))
    }
    return found[min(found)] if found else None


def _mention(name: str, ordinary: bool) -> str:
    spelling = r"[_-]?".join(map(re.escape, name.split("_")))  # `max_tokens`, `maxTokens`
    if ordinary:
        return rf"(?<=[\"'`\[(:=]){spelling}(?![\w-])|(?<=: ){spelling}(?![\w-])"
    return rf"(?<![\w-]){spelling}(?![\w-])"


def _first_field(sent: Mapping[str, Any], complaint: Complaint) -> str | None:
    """`stream_options.include_usage` is part of `stream_options`, and `body` of the request."""
    names = {_plain(name): name for name in sent}
    for path in complaint.fields:
        for part in re.split(r"[.\[\]/]+", path):
            if name := names.get(_plain(part)):
                return name
    return None


def _plain(name: str) -> str:
    """A name as it is in all its spellings."""
    return re.sub("[_-]", "", name).lower()
