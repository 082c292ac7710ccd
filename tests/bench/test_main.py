"""What the benchmark's command takes, and how it ends."""

import argparse

import pytest

from bench.__main__ import names, stopped


def test_it_works() -> None:
    assert names("relay,idle") == ["relay", "idle"]


@pytest.mark.parametrize("wrong", ["nosuch", "relay,nosuch", "", "relay,"])
def test_a_scenario_that_there_is_not_is_refused(wrong: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="there are relay, curve"):
        names(wrong)


def test_what_fails_in_cleaning_up_does_not_hide_who_ended_it() -> None:
    try:
        try:
            raise KeyboardInterrupt
        finally:
            raise OSError("gone already")
    except OSError as error:
        assert isinstance(stopped(error), KeyboardInterrupt)
    assert stopped(OSError("by itself")) is None
