"""docs/promises.md names the tests that prove each promise: they exist, and none is left out."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from tests.documents import ROOT, read

PAGE = "docs/promises.md"
HIGHEST = 40


def promised() -> dict[int, dict[str, set[str]]]:
    """The tests of each promise on the page, by file."""
    parts = re.split(r"^## P(\d+)\. .+$", read(PAGE).split("## Not yet")[0], flags=re.MULTILINE)[1:]
    found: dict[int, dict[str, set[str]]] = {}
    for number, text in zip(parts[::2], parts[1::2], strict=True):
        lines = re.findall(r"^- \[(\S+)\]\(\.\./\1\): (.+)$", text, re.MULTILINE)
        found[int(number)] = {file: set(re.findall(r"`(\w+)`", names)) for file, names in lines}
    return found


@cache
def names_in(file: Path) -> frozenset[str]:
    """The names of a file's tests."""
    return frozenset(
        node.name
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


def numbered() -> dict[int, dict[str, set[str]]]:
    """The tests whose names have a promise's number."""
    found: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for file in (ROOT / "tests").rglob("*.py"):
        if "node_modules" not in file.parts:
            for name in names_in(file):
                for number in re.findall(r"_p(\d+)(?=_)", name):
                    found[int(number)][file.relative_to(ROOT).as_posix()].add(name)
    return found


def test_it_works() -> None:
    assert "test_p14_the_loop_is_bounded" in promised()[14]["tests/engine/test_run.py"]
    assert "test_p14_the_loop_is_bounded" in numbered()[14]["tests/engine/test_run.py"]


def test_each_promise_stands_once_with_a_test_or_is_said_to_come() -> None:
    later = {int(number) for number in re.findall(r"\bP(\d+)\b", read(PAGE).split("## Not yet")[1])}
    kept = promised()
    assert [number for number, tests in kept.items() if not tests] == []
    assert sorted([*kept, *later]) == [*range(1, HIGHEST + 1)]


@pytest.mark.parametrize("number", promised())
def test_the_tests_of_a_promise_exist(number: int) -> None:
    for file, names in promised()[number].items():
        assert names and names <= names_in(ROOT / file), file


def test_no_test_with_a_number_is_left_out() -> None:
    kept = promised()
    missing = [
        f"P{number} {file}::{name}"
        for number, files in numbered().items()
        for file, names in files.items()
        for name in names - kept.get(number, {}).get(file, set())
    ]
    assert missing == []
