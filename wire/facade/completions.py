"""OpenAI Chat Completions: what a client asks, and the whole answer.

https://platform.openai.com/docs/api-reference/chat, with the types of `openai` 3.57.0, read on
2026-11-30."""

from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

import msgspec
from msgspec.structs import replace

from engine.events import Usage
from wire import parse
from wire.facade.files import Part
from wire.facade.history import (
    Call,
    ForeignRequest,
    Said,
    chat_of,
    instructions_of,
    with_tools,
)
from wire.facade.openai import Function, handed_over, refuse_unsupported, said_of, text_of
from wire.objects.conversations import Message
from wire.parse import Name

FinishReason: TypeAlias = Literal["stop", "length", "content_filter", "tool_calls"]

FINISH: dict[str, FinishReason] = {
    "max_tokens": "length",
    "context_window_exceeded": "length",
    "refusal": "content_filter",
}
"""The `finish_reason` of our stop reasons; that of all others is `stop`."""


class CalledFunction(msgspec.Struct, frozen=True):
    """The function of a call; `arguments` is the JSON of an object."""

    name: str
    arguments: str


class FunctionCall(msgspec.Struct, frozen=True, tag_field="type", tag="function"):
    """A call of a function that the client carries out."""

    id: Name
    function: CalledFunction


class ChatMessage(msgspec.Struct, frozen=True):
    """A message of the history. Those of `system` and `developer` are added to the agent's
    instructions; one of `tool` is the result of the call `tool_call_id`."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[Part] | None = None
    tool_calls: list[FunctionCall] | None = None
    tool_call_id: str | None = None

    def said(self, field: str) -> Said:
        """The same message in the history of both protocols. Raises `invalid_message`."""
        where = f"{field}.content"
        if self.role == "tool":
            text, call = text_of(self.content, where), f"{field}.tool_call_id"
            return Said("tool", text, call, result_of=self.tool_call_id or "")
        calls = [
            Call(call.id, call.function.name, call.function.arguments, f"{field}.tool_calls[{n}]")
            for n, call in enumerate(self.tool_calls or ())
        ]
        return replace(said_of(self.role, self.content, where), calls=calls)


class Tool(msgspec.Struct, frozen=True):
    """A tool that the client brings. Tools of other types than `function` are ignored: the agent
    has its own."""

    type: str
    function: Function | None = None


class StreamOptions(msgspec.Struct, frozen=True):
    """`include_usage`: a last chunk says what the answer has used."""

    include_usage: bool | None = None


MaxTokens: TypeAlias = Annotated[int, msgspec.Meta(ge=1)] | None


class CompletionRequest(msgspec.Struct, frozen=True):
    """A request for a chat completion. `model` names the agent. Fields that are not listed are
    left to the agent, such as `temperature`."""

    UNSUPPORTED: ClassVar[dict[str, list[Any]]] = {
        "n": [1],
        "stop": [[]],
        "tool_choice": ["none", "auto"],
        "functions": [[]],
        "function_call": ["none", "auto"],
        "response_format": [{"type": "text"}],
        "modalities": [["text"]],
        "audio": [],
        "logprobs": [False],
        "top_logprobs": [0],
        "logit_bias": [{}],
        "web_search_options": [],
    }
    """Fields that would change the form of the answer, and the values that do not."""

    model: Name
    messages: Annotated[list[ChatMessage], msgspec.Meta(extra_json_schema={"minItems": 1})]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: MaxTokens = None
    max_completion_tokens: MaxTokens = None
    n: Any = None
    stop: Any = None
    tools: list[Tool] | None = None
    tool_choice: Any = None
    functions: Any = None
    function_call: Any = None
    response_format: Any = None
    modalities: Any = None
    audio: Any = None
    logprobs: Any = None
    top_logprobs: Any = None
    logit_bias: Any = None
    web_search_options: Any = None

    @property
    def include_usage(self) -> bool:
        """Whether the stream says what the answer has used."""
        return bool(self.stream_options and self.stream_options.include_usage)

    @property
    def limit(self) -> int | None:
        """The most tokens that the answer may have."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def instructions(self) -> list[str]:
        """The texts that are added to the agent's instructions."""
        return instructions_of(self._said())

    def chat(self, *, message_bytes: int) -> ForeignRequest:
        """The same request in the native protocol. Raises `invalid_message`,
        `message_too_large`."""
        refuse_unsupported(self, self.UNSUPPORTED)
        chat = chat_of(self._said(), "messages", message_bytes=message_bytes)
        brought = [] if self.tool_choice == "none" else self.tools or []
        tools = [tool.function.tool() for tool in brought if tool.function is not None]
        return with_tools(chat, tools)

    def _said(self) -> list[Said]:
        return [message.said(f"messages[{place}]") for place, message in enumerate(self.messages)]


class PromptDetails(msgspec.Struct, frozen=True):
    """The part of the prompt that the model server had kept."""

    cached_tokens: int


class CompletionDetails(msgspec.Struct, frozen=True):
    """The part of the answer that was thought."""

    reasoning_tokens: int


class CompletionUsage(msgspec.Struct, frozen=True):
    """The tokens of an answer, of all model calls."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails
    completion_tokens_details: CompletionDetails

    @classmethod
    def of(cls, usage: Usage) -> Self:
        """Our usage in OpenAI's words."""
        return cls(
            prompt_tokens=usage.input_tokens,
            completion_tokens=usage.output_tokens,
            total_tokens=usage.total_tokens,
            prompt_tokens_details=PromptDetails(usage.cache_read_tokens),
            completion_tokens_details=CompletionDetails(usage.reasoning_tokens),
        )


class AnswerMessage(msgspec.Struct, frozen=True):
    """The agent's answer. `reasoning_content` is what it has thought, where that is shown;
    `tool_calls` are those that the client carries out."""

    role: Literal["assistant"]
    content: str | None
    refusal: str | None = None
    tool_calls: list[FunctionCall] | msgspec.UnsetType = msgspec.UNSET
    reasoning_content: str | msgspec.UnsetType = msgspec.UNSET


class Choice(msgspec.Struct, frozen=True):
    """The only answer."""

    index: int
    message: AnswerMessage
    finish_reason: FinishReason
    logprobs: None = None


class ChatCompletion(msgspec.Struct, frozen=True):
    """A whole answer. `id` has what follows `run_` in the id of its run; `usage` is null for a
    visitor, unless the agent shows it."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: CompletionUsage | None

    @classmethod
    def of(cls, run_id: str, created: int, model: str, message: Message) -> Self:
        """The answer of a run that is complete."""
        calls = [call_of(tool.id, tool.tool, tool.args) for tool in handed_over(message)]
        answer = AnswerMessage(
            role="assistant",
            content=message.content or (None if calls else ""),
            tool_calls=calls or msgspec.UNSET,
            reasoning_content=message.thinking,
        )
        reason = "tool_calls" if calls else finish_reason(message.stop_reason)
        return cls(
            id=completion_id(run_id),
            object="chat.completion",
            created=created,
            model=model,
            choices=[Choice(0, answer, reason)],
            usage=CompletionUsage.of(message.usage) if message.usage else None,
        )


def completion_id(run_id: str) -> str:
    """The id of a run's answer: `chatcmpl-` and what follows `run_`."""
    return f"chatcmpl-{run_id.removeprefix('run_')}"


def call_of(id: str, name: str, args: dict[str, Any]) -> FunctionCall:
    """A call of a function."""
    return FunctionCall(id, CalledFunction(name, parse.dumps(args).decode()))


def finish_reason(stop_reason: str | None) -> FinishReason:
    """The reason why the answer ends."""
    return FINISH.get(stop_reason or "", "stop")


_request = msgspec.json.Decoder(CompletionRequest)


def parse_completion(body: bytes) -> CompletionRequest:
    """The JSON body of a request. Raises `invalid_message`."""
    return parse.decode(_request, body)
