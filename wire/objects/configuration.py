"""The configuration of an agent in the REST API: what its versions keep."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from engine.providers.registry import PROVIDERS
from wire.objects.widget import WidgetSettings
from wire.parse import Name

Names = Annotated[list[Name], Meta(max_length=100)]


def choice(*values: str) -> Meta:
    """The choices, for the schema. The database model checks them, with a clearer error."""
    return Meta(extra_json_schema={"enum": list(values)})


Provider = Annotated[str, choice("auto", *PROVIDERS)]

Tools = Annotated[
    list[
        Annotated[
            dict[str, Any],
            Meta(
                extra_json_schema={
                    "properties": {
                        "builtin": {"type": "string"},
                        "agent": {"type": "string"},
                        "mcpServer": {"type": "string"},
                        "name": {"type": "string"},
                        "rename": {"type": "string"},
                        "approval": {"enum": ["never", "always", "first"]},
                        "approvers": {"enum": ["members", "visitor"]},
                        "editable": {"type": "boolean"},
                    },
                    "anyOf": [
                        {"required": ["builtin"]},
                        {"required": ["agent"]},
                        {"required": ["mcpServer", "name"]},
                    ],
                    "additionalProperties": False,
                }
            ),
        ]
    ],
    Meta(max_length=50),
]
"""The tools of an agent. The agents' model knows which exist, and says what was wrong."""


class Configuration(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """The fields of an agent that each of its versions has. Absent fields stay as they are."""

    instructions: str | UnsetType = UNSET
    provider: Provider | UnsetType = UNSET
    model: str | UnsetType = UNSET
    base_url: str | UnsetType = UNSET
    credential_id: Name | UnsetType | None = UNSET
    parameters: dict[str, Any] | UnsetType = UNSET
    tools: Tools | UnsetType = UNSET
    client_tools: Names | UnsetType = UNSET
    max_tokens: int | UnsetType = UNSET
    context_tokens: int | UnsetType = UNSET
    thinking: bool | UnsetType = UNSET
    greeting: str | UnsetType = UNSET
    prompts: Names | UnsetType = UNSET
    widget: WidgetSettings | UnsetType = UNSET

    def given(self) -> dict[str, Any]:
        """The fields that the request has, of plain types."""
        fields = msgspec.structs.asdict(self)
        return {
            name: msgspec.to_builtins(value) if isinstance(value, msgspec.Struct) else value
            for name, value in fields.items()
            if value is not UNSET
        }


CONFIGURED = tuple(field.name for field in msgspec.structs.fields(Configuration))
"""The names of these fields, as the database model has them."""
