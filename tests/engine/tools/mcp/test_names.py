"""`engine.tools.mcp.names`: names that models take, and that nobody else has."""

import re

from hypothesis import given
from hypothesis import strategies as st

from engine.tools.mcp.names import Wanted, model_names, safe


def test_it_works() -> None:
    tools = [Wanted("crm", "find"), Wanted("crm", "get contact/é"), Wanted("erp", "pay", "charge")]
    assert model_names(tools, ()) == ["find", "get_contact__", "charge"]


def test_b3_tools_of_one_name_are_told_apart_by_their_servers() -> None:
    tools = [Wanted("crm", "find"), Wanted("my erp", "find"), Wanted("erp", "other")]
    assert model_names(tools, ["other"]) == ["crm_find", "my_erp_find", "erp_other"]


def test_a_name_of_the_configuration_is_kept() -> None:
    tools = [Wanted("crm", "search", "find"), Wanted("erp", "find")]
    assert model_names(tools, ()) == ["find", "erp_find"]


def test_a_tool_whose_names_are_in_use_has_none() -> None:
    tools = [Wanted("crm", "a b"), Wanted("crm", "a/b"), Wanted("crm", "x", "clock")]
    assert model_names(tools, ["clock"]) == ["crm_a_b", None, None]
    assert model_names([Wanted("", "")], ()) == [None]


NAMES = st.text("ab/é", max_size=3)


@given(st.lists(st.builds(Wanted, NAMES, NAMES), max_size=8), st.sets(NAMES.map(safe)))
def test_no_name_is_given_twice(tools: list[Wanted], taken: set[str]) -> None:
    names = [name for name in model_names(tools, taken) if name is not None]
    assert len({*names}) == len(names) and not {*names} & taken
    assert all(re.fullmatch("[A-Za-z0-9_-]{1,64}", name) for name in names)


def test_a_long_name_is_cut() -> None:
    assert model_names([Wanted("crm", "x" * 100)], ()) == ["x" * 64]
