"""The response, and the items of its input and output."""

from typing import Any, Literal, Self, TypeAlias

import msgspec

from engine.events import Usage
from engine.transcript import Problem

Status: TypeAlias = Literal[
    "queued", "in_progress", "completed", "incomplete", "cancelled", "failed"
]
ItemStatus: TypeAlias = Literal["in_progress", "completed", "incomplete"]

INCOMPLETE = {
    "max_tokens": "max_output_tokens",
    "context_window_exceeded": "max_output_tokens",
    "refusal": "content_filter",
}
"""The reasons of OpenAI's for answers that the model server has cut, by our stop reasons."""


class OutputText(msgspec.Struct, frozen=True, tag_field="type", tag="output_text"):
    """A text of the agent's."""

    text: str
    annotations: list[Any] = []
    logprobs: list[Any] = []


class SummaryText(msgspec.Struct, frozen=True, tag_field="type", tag="summary_text"):
    """A text that the agent has thought."""

    text: str


class InputText(msgspec.Struct, frozen=True, tag_field="type", tag="input_text"):
    """A text of the user's."""

    text: str


class OutputMessage(msgspec.Struct, frozen=True, tag_field="type", tag="message"):
    """A message of the agent's."""

    id: str
    status: ItemStatus
    role: Literal["assistant"]
    content: list[OutputText]


class Reasoning(msgspec.Struct, frozen=True, tag_field="type", tag="reasoning"):
    """The agent's thoughts, where they are shown."""

    id: str
    summary: list[SummaryText]
    status: ItemStatus


class FunctionCall(msgspec.Struct, frozen=True, tag_field="type", tag="function_call"):
    """A call of a function that the client carries out; `arguments` is the JSON of an object."""

    id: str
    call_id: str
    name: str
    arguments: str
    status: ItemStatus


class FunctionTool(msgspec.Struct, frozen=True, tag_field="type", tag="function"):
    """A function that the client has brought."""

    name: str
    description: str
    parameters: dict[str, Any]
    strict: Literal[False] = False


class InputMessage(msgspec.Struct, frozen=True, tag_field="type", tag="message"):
    """A message that the agent was given."""

    id: str
    status: Literal["completed"]
    role: Literal["user", "assistant"]
    content: list[InputText | OutputText]


Item: TypeAlias = OutputMessage | Reasoning | FunctionCall


class InputTokensDetails(msgspec.Struct, frozen=True):
    """The parts of the input that were read from, and written to, the model server's cache."""

    cached_tokens: int
    cache_write_tokens: int


class OutputTokensDetails(msgspec.Struct, frozen=True):
    """The part of the output that was thought."""

    reasoning_tokens: int


class ResponseUsage(msgspec.Struct, frozen=True):
    """The tokens of a response, of all model calls."""

    input_tokens: int
    input_tokens_details: InputTokensDetails
    output_tokens: int
    output_tokens_details: OutputTokensDetails
    total_tokens: int

    @classmethod
    def of(cls, usage: Usage) -> Self:
        """Our usage in OpenAI's words."""
        return cls(
            usage.input_tokens,
            InputTokensDetails(usage.cache_read_tokens, usage.cache_write_tokens),
            usage.output_tokens,
            OutputTokensDetails(usage.reasoning_tokens),
            usage.total_tokens,
        )


class ResponseError(msgspec.Struct, frozen=True):
    """The error of a failed response, with one of OpenAI's codes."""

    code: Literal["server_error", "rate_limit_exceeded"]
    message: str

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Our problem in OpenAI's words."""
        overloaded = problem.code == "upstream_overloaded"
        return cls("rate_limit_exceeded" if overloaded else "server_error", problem.message)


class Reference(msgspec.Struct, frozen=True):
    """A conversation."""

    id: str


class IncompleteDetails(msgspec.Struct, frozen=True):
    """The reason why an answer is incomplete."""

    reason: str


class TextFormat(msgspec.Struct, frozen=True):
    """The only form of an answer."""

    type: Literal["text"] = "text"


class Text(msgspec.Struct, frozen=True):
    """The form of the answer."""

    format: TextFormat = TextFormat()


class ReasoningOptions(msgspec.Struct, frozen=True):
    """The agent decides how much it thinks."""

    effort: None = None
    summary: None = None


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """A run as a response. `id` has what follows `run_` in the id of the run. Fields that the agent
    decides, such as `temperature`, are null. `usage` is null while it runs, and for a visitor
    unless the agent shows it."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    status: Status
    completed_at: int | None = None
    background: bool = False
    conversation: Reference | None = None
    error: ResponseError | None = None
    incomplete_details: IncompleteDetails | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    metadata: dict[str, str] = {}
    model: str
    output: list[Item] = []
    parallel_tool_calls: bool = True
    previous_response_id: str | None = None
    reasoning: ReasoningOptions = ReasoningOptions()
    service_tier: Literal["default"] = "default"
    store: bool = True
    temperature: float | None = None
    text: Text = Text()
    tool_choice: Literal["auto"] = "auto"
    tools: list[FunctionTool] = []
    top_p: float | None = None
    truncation: Literal["disabled"] = "disabled"
    usage: ResponseUsage | None = None
    user: None = None


class DeletedResponse(msgspec.Struct, frozen=True):
    """A response that is not shown any more."""

    id: str
    object: Literal["response"] = "response"
    deleted: Literal[True] = True


class InputItems(msgspec.Struct, frozen=True):
    """The input of a response: a page of the conversation up to its question."""

    object: Literal["list"]
    data: list[InputMessage]
    first_id: str | None
    last_id: str | None
    has_more: bool


def response_id(run_id: str) -> str:
    """The id of a run's response: `resp_` and what follows `run_`."""
    return f"resp_{run_id.removeprefix('run_')}"


def run_id_of(response_id: str) -> str:
    """The id of a response's run; any other text stays as it is, and names none."""
    kind, _, rest = response_id.partition("_")
    return f"run_{rest}" if kind == "resp" else ""
