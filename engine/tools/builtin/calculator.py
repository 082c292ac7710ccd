"""The tool `calculator`: arithmetic with decimal numbers.

Python's own parser reads the expression; what is not arithmetic is refused before anything is
computed. Numbers have 40 digits and exponents of at most 4 digits, so every operation ends soon."""

import ast
import decimal
import math
import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, TypeAlias

import msgspec

from engine.tools.base import ToolContext
from engine.tools.builtin.base import Builtin, ToolFailed

MAX_LENGTH = 500
"""Characters of an expression. It bounds the operations, and how deeply they are nested."""
DIGITS, SHOWN = 40, 30
"""Digits that are computed, and that the result has: the last ones are not exact."""
MAX_EXPONENT = 9999

CONTEXT = decimal.Context(
    prec=DIGITS,
    Emax=MAX_EXPONENT,
    Emin=-MAX_EXPONENT,
    traps=[decimal.DivisionByZero, decimal.InvalidOperation, decimal.Overflow],
)
WRITTEN = str.maketrans({"^": "**", "\u00d7": "*", "\u00f7": "/", "\u2212": "-"})
"""Signs that people write, and what the parser calls them."""

Operation: TypeAlias = Callable[..., Decimal]


def _by_float(function: Callable[[float], float]) -> Operation:
    """A function that there is for floats only: its result has 15 digits."""
    return lambda number: Decimal(f"{function(float(number)):.15g}")


def _rounded(number: Decimal, digits: Decimal = Decimal(0)) -> Decimal:
    """To so many digits after the point, halves away from zero."""
    return number.quantize(Decimal(1).scaleb(-int(digits)), decimal.ROUND_HALF_UP)


BINARY: dict[type[ast.operator], Operation] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
UNARY: dict[type[ast.unaryop], Operation] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
FUNCTIONS: dict[str, Operation] = {
    "abs": abs,
    "ceil": lambda number: number.to_integral_value(decimal.ROUND_CEILING),
    "cos": _by_float(math.cos),
    "exp": Decimal.exp,
    "floor": lambda number: number.to_integral_value(decimal.ROUND_FLOOR),
    "ln": Decimal.ln,
    "log10": Decimal.log10,
    "max": max,
    "min": min,
    "round": _rounded,
    "sin": _by_float(math.sin),
    "sqrt": Decimal.sqrt,
    "tan": _by_float(math.tan),
}
CONSTANTS = {
    "pi": Decimal("3.141592653589793238462643383279502884197"),
    "e": Decimal("2.718281828459045235360287471352662497757"),
}


class Arguments(msgspec.Struct):
    """The arguments of a call."""

    expression: Annotated[
        str,
        msgspec.Meta(
            description="Such as (2 + 3) * 4.5 or sqrt(2) ^ 3. Operators: + - * / // % ^."
            f" Functions: {', '.join(FUNCTIONS)}. Constants: pi, e.",
            max_length=MAX_LENGTH,
        ),
    ]


async def run(arguments: Arguments, context: ToolContext) -> dict[str, str]:
    """`{result}`: the number as text, since JSON's numbers may lose digits."""
    try:
        with decimal.localcontext(CONTEXT):
            number = _value(_parsed(arguments.expression))
            return {"result": _written(number)}
    except RecursionError:
        raise ToolFailed("This is nested too deeply.") from None
    except decimal.DivisionByZero:
        raise ToolFailed("This divides by zero.") from None
    except (decimal.Overflow, OverflowError):
        raise ToolFailed(f"The number has more than {MAX_EXPONENT} digits.") from None
    except (decimal.InvalidOperation, ValueError, TypeError):
        raise ToolFailed("This has no result, such as the root of a negative number.") from None


def _parsed(expression: str) -> ast.expr:
    try:
        return ast.parse(expression.strip().translate(WRITTEN), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ToolFailed("This is no arithmetic expression.") from None


def _value(node: ast.expr) -> Decimal:
    """The number that an expression comes to. Raises `ToolFailed` for what is no arithmetic."""
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return +Decimal(str(node.value))
        case ast.Name(id=name) if name in CONSTANTS:
            return CONSTANTS[name]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            return BINARY[type(op)](_value(left), _value(right))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in UNARY:
            return UNARY[type(op)](_value(operand))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](*map(_value, args))
    raise ToolFailed(f"Only numbers, operators and these are known: {', '.join(FUNCTIONS)}, pi, e.")


def _written(number: Decimal) -> str:
    """Without needless digits; as `1.5E+40` where it is far from 1."""
    shown = number.normalize(decimal.Context(prec=SHOWN, Emax=MAX_EXPONENT, Emin=-MAX_EXPONENT))
    return f"{shown + 0:f}" if -SHOWN <= shown.adjusted() <= SHOWN else str(shown)


TOOL = Builtin(
    "Calculates an arithmetic expression exactly, with decimal numbers. Use it for any arithmetic"
    " beyond the simplest.",
    Arguments,
    run,
    repeatable=True,
)
