"""Expressions such as `upper(user.name)` or `cost * 1000`, compiled once.

A path alone, a text or a number needs no library. All else is CEL (https://cel.dev), into which
each path goes as a variable, and each number as a double. There are no comprehensions, and an
expression is short: so each evaluation ends soon."""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from pipelines.graph.functions import FUNCTIONS
from pipelines.graph.items import Data, StageError
from pipelines.graph.paths import MISSING, NAME, Getter, getter, is_path

MAX_LENGTH = 1000
MAX_TOKENS = 200
MAX_NESTING = 20
LITERALS = {"true", "false", "null"}
Evaluate = Callable[[Data], Any]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?)"
    r'|(?P<text>"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*")'
    rf"|(?P<name>{NAME}(?:\.{NAME})*)"
    r"|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/<>!?:(),]))"
)


class ExpressionError(ValueError):
    """An expression that is not understood. The message says where."""


def compile_expression(source: str) -> Evaluate:
    """Returns a function from the data of an item to the value, which is JSON; a path that leads
    nowhere is null. That function raises `StageError`. Raises `ExpressionError`."""
    stripped = source.strip()
    if is_path(stripped) and stripped not in LITERALS:
        return _path(stripped)
    translated, paths = _translate(source)
    return _evaluator(source, _program(source, translated), paths)


def _path(path: str) -> Evaluate:
    find = getter(path)

    def evaluate(data: Data) -> Any:
        value = find(data)
        return None if value is MISSING else value

    return evaluate


def _translate(source: str) -> tuple[str, list[Getter]]:
    """The same in CEL, and the paths of its variables `v0`, `v1` and so on."""
    if len(source) > MAX_LENGTH:
        raise ExpressionError(f"An expression has at most {MAX_LENGTH} characters.")
    words: list[str] = []
    paths: dict[str, str] = {}
    place, nesting = 0, 0
    while source[place:].strip():
        match = _TOKEN.match(source, place)
        if match is None or len(words) >= MAX_TOKENS:
            raise ExpressionError(f"This is not understood from character {place + 1} on.")
        place, kind, word = match.end(), match.lastgroup, match[match.lastgroup or 0]
        nesting += {"(": 1, ")": -1}.get(word, 0)
        if nesting > MAX_NESTING:
            raise ExpressionError(f"Brackets are nested more than {MAX_NESTING} times.")
        if kind == "name":
            word = _named(word, source, place, paths)
        elif kind == "number":
            word = repr(float(word))
        words.append(word)
    for place, word in enumerate(words):
        if word in FUNCTIONS:
            _check_count(word, words[place + 1 :])
    return " ".join(words), [getter(path) for path in paths]


def _named(word: str, source: str, place: int, paths: dict[str, str]) -> str:
    if source[place:].lstrip().startswith("("):
        if word not in FUNCTIONS:
            known = ", ".join(FUNCTIONS)
            raise ExpressionError(f"There is no function “{word}”. These are: {known}.")
        return word
    if word in LITERALS:
        return word
    return paths.setdefault(word, f"v{len(paths)}")


def _check_count(name: str, following: list[str]) -> None:
    """Raise `ExpressionError` for a call with more or fewer arguments than the function takes."""
    depth, count = 0, 0
    for word in following:
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth == 0:
            break
        count = max(count, 1) if word != "(" or depth > 1 else count
        count += word == "," and depth == 1
    _, fewest, most = FUNCTIONS[name]
    if not fewest <= count <= most:
        counts = str(fewest) if fewest == most else f"{fewest} to {most}"
        raise ExpressionError(f"{name}() takes {counts} arguments, not {count}.")


def _program(source: str, translated: str) -> Any:
    import cel  # 30 MB, and most installations have no such expression

    try:
        return cel.compile(translated)
    except ValueError:
        raise ExpressionError(
            f"“{source}” is no expression: an operator or bracket is missing."
        ) from None


def _evaluator(source: str, program: Any, paths: list[Getter]) -> Evaluate:
    functions = {name: function.call for name, function in FUNCTIONS.items()}
    used = {name: functions[name] for name in program.functions() if name in functions}
    names = [f"v{number}" for number in range(len(paths))]

    def evaluate(data: Data) -> Any:
        values = {name: _doubles(find(data)) for name, find in zip(names, paths, strict=True)}
        try:
            return _plain(program.execute({**used, **values}))
        except (TypeError, ValueError, RuntimeError, KeyError, OverflowError):
            raise StageError(f"“{source}” cannot be computed from this item.") from None

    return evaluate


def _doubles(value: Any) -> Any:
    if value is MISSING:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _plain(value: Any) -> Any:
    """The value as JSON: a whole number without a fraction."""
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 2**53:
            return int(value)
        return value if msgspec.json.encode(value) != b"null" else None
    return value
