"""Python functions as tools of an agent."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias, get_origin, get_type_hints

Function: TypeAlias = Callable[..., Any]

TYPES: dict[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
}
"""The JSON types of Python's; what has another type may be anything."""


@dataclass(frozen=True)
class Tool:
    """A function that an agent may call. `input_schema` is the JSON Schema of its arguments."""

    name: str
    description: str
    input_schema: dict[str, Any]
    function: Function

    @property
    def told(self) -> dict[str, Any]:
        """The tool as the server is told of it."""
        return {
            "name": self.name,
            "description": self.description,
            "inputSchema": self.input_schema,
        }


def tool_of(function: Function | Tool) -> Tool:
    """A function as a tool: its name, its docstring, and its parameters with their types."""
    if isinstance(function, Tool):
        return function
    hints = get_type_hints(function)
    parameters = inspect.signature(function).parameters.values()
    properties = {each.name: _schema(hints.get(each.name)) for each in parameters}
    required = [each.name for each in parameters if each.default is inspect.Parameter.empty]
    return Tool(
        name=function.__name__,
        description=inspect.getdoc(function) or "",
        input_schema={"type": "object", "properties": properties, "required": required},
        function=function,
    )


def tools_of(functions: Iterable[Function | Tool]) -> dict[str, Tool]:
    """These functions as tools, by their names."""
    return {tool.name: tool for tool in map(tool_of, functions)}


def _schema(hint: Any) -> dict[str, Any]:
    kind = TYPES.get(get_origin(hint) or hint)
    return {"type": kind} if kind else {}
