"""`pipelines.graph.expressions` and `.functions`: what people write, and what is refused."""

import pytest

from pipelines.graph.expressions import ExpressionError, compile_expression
from pipelines.graph.items import StageError

DATA = {
    "user": {"firstName": "Ada", "lastName": "Lovelace", "age": 36},
    "cost": 0.25,
    "tokens": 1200,
    "tags": ["a", "b"],
    "big": 2**60,
    "yes": True,
    "nothing": None,
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("user.firstName", "Ada"),
        ("big", 2**60),
        ("missing.path", None),
        ('"agent_completion"', "agent_completion"),
        ("42", 42),
        ("true", True),
        ("upper(user.firstName)", "ADA"),
        ('concat(user.firstName, " ", user.lastName)', "Ada Lovelace"),
        ('concat("n=", tokens, missing)', "n=1200"),
        ('coalesce(missing, nothing, "x")', "x"),
        ("cost * 1000 + tokens", 1450),
        ("tokens / 7", 1200 / 7),
        ("round(tokens / 7, 2)", 171.43),
        ("-abs(-cost)", -0.25),
        ("length(tags) + length(user.firstName)", 5),
        ('tokens > 1000 ? "large" : "small"', "large"),
        ("yes && cost < 1", True),
        ("nothing == null", True),
        ('toNumber("3.5") + 1', 4.5),
        ("toNumber(missing)", None),
        ("toString(tokens)", "1200"),
        ("substring(user.lastName, 0, 4)", "Love"),
        ('trim("  a ")', "a"),
        ('lower("Ä\\"B")', 'ä"b'),
        ("tags", ["a", "b"]),
        ("upper(nothing)", None),
        ("1 / 0", None),
    ],
)
def test_it_works(source, value):
    assert compile_expression(source)(DATA) == value


def test_now_is_the_time_in_ms():
    assert compile_expression("now()")({}) > 1_700_000_000_000


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "no expression"),
        ("1 +", "no expression"),
        ("a b", "no expression"),
        ("system(a)", "no function “system”"),
        ("a.map(x, x)", "no function “a.map”"),
        ("upper()", "takes 1 arguments, not 0"),
        ("upper(a, b)", "takes 1 arguments, not 2"),
        ("substring(a)", "takes 2 to 3 arguments, not 1"),
        ("[1, 2]", "from character 1"),
        ("a ^ b", "from character 2"),
        ('"open', "from character 1"),
        ("+".join(["1"] * 400), "not understood"),
        ("x" * 1001 + "+1", "1000 characters"),
        ("(" * 30 + "1" + ")" * 30, "nested"),
    ],
)
def test_what_is_no_expression_is_refused(source, said):
    with pytest.raises(ExpressionError, match=said.replace("(", r"\(")):
        compile_expression(source)


@pytest.mark.parametrize("source", ["user.firstName * 2", "nothing + 1", "tags - 1"])
def test_what_cannot_be_computed_is_said_with_the_expression(source):
    with pytest.raises(StageError) as caught:
        compile_expression(source)(DATA)
    assert source in str(caught.value)
