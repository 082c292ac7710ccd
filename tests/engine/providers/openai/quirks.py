"""What servers of Chat Completions were seen to send, each as a stream in, and the answer out."""

import json
from typing import Any, NamedTuple

DONE = "[DONE]"
STOP = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
FILTERS = {"hate": {"filtered": False, "severity": "safe"}}


def piece(content: Any = None, reason: Any = None, **delta: Any) -> dict[str, Any]:
    fields = delta if content is None else {"content": content, **delta}
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": reason}]}


def called(*calls: Any, reason: Any = None) -> dict[str, Any]:
    return piece(None, reason, tool_calls=list(calls))


def function(name: str | None, arguments: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "arguments": arguments}, **fields}


class Quirk(NamedTuple):
    """The events' data (objects, or raw text), and what they mean."""

    events: list[Any]
    text: str = "Hello"
    stop: str = "end_turn"
    thinking: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()


HELLO = [piece("Hel"), piece("lo"), STOP]
PARIS = {"city": "Paris"}
USED = {"text": "", "stop": "tool_use", "calls": (("weather", PARIS),)}

QUIRKS = {
    "Azure: filter results before, between and after the text": Quirk(
        [
            {"id": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]},
            piece("Hel"),
            {"choices": [{"index": 0, "finish_reason": None, "content_filter_results": FILTERS}]},
            {"choices": [{"index": 0, "delta": None, "finish_reason": None}], "usage": None},
            *(piece("lo"), STOP),
            {"choices": [{"index": 0, "finish_reason": None, "content_filter_offsets": {}}]},
            DONE,
        ]
    ),
    "Azure: cut by its filter": Quirk(
        [piece("Hello"), piece(None, "content_filter"), DONE], stop="refusal"
    ),
    "Mistral: parts of thinking and text": Quirk(
        [
            piece("", role="assistant"),
            piece([{"type": "thinking", "thinking": [{"type": "text", "text": "hm "}]}]),
            piece([{"type": "thinking", "thinking": [{"type": "text", "text": "so"}]}]),
            piece([{"type": "text", "text": "Hel"}, {"type": "reference", "reference_ids": [1]}]),
            *(piece("lo"), STOP, DONE),
        ],
        thinking="hm so",
    ),
    "Mistral: the context is full": Quirk(
        [piece("Hello", "model_length"), DONE], stop="context_window_exceeded"
    ),
    "Google: calls without an index that end with stop": Quirk(
        [
            called(function("weather", json.dumps(PARIS), id="a")),
            called(function("time", "{}", id="b")),
            *(STOP, DONE),
        ],
        text="",
        stop="tool_use",
        calls=(("weather", PARIS), ("time", {})),
    ),
    "Google: all calls have index 0 and no id": Quirk(
        [
            called(function("weather", json.dumps(PARIS)), function("time", "{}")),
            piece(None, "STOP"),
        ],
        text="",
        stop="tool_use",
        calls=(("weather", PARIS), ("time", {})),
    ),
    "Google: a chunk in a list": Quirk([[piece("Hello")], [STOP]]),
    "Google: parts": Quirk(
        [piece({"parts": [{"text": "hm", "thought": True}, {"text": "Hello"}]}), STOP],
        thinking="hm",
    ),
    "DeepSeek: thinking first, with null content": Quirk(
        [{"choices": [{"delta": {"content": None, "reasoning_content": "hm"}}]}, *HELLO, DONE],
        thinking="hm",
    ),
    "OpenRouter: the same thinking three times, and comments": Quirk(
        [
            ": OPENROUTER PROCESSING",
            piece("", reasoning="hm", reasoning_details=[{"type": "reasoning.text", "text": "hm"}]),
            *(": OPENROUTER PROCESSING", *HELLO, DONE),
        ],
        thinking="hm",
    ),
    "DashScope: the reason is the word null": Quirk([piece("Hel", "null"), *HELLO[1:], DONE]),
    "Ollama: the reason is empty until the end": Quirk(
        [piece("Hel", ""), piece("lo", ""), piece("", "stop"), DONE]
    ),
    "vLLM: usage with every piece, and a call without arguments": Quirk(
        [
            {**called(function("time", "", index=0, id="a")), "usage": {"prompt_tokens": 3}},
            {**piece(None, "tool_calls"), "usage": {"prompt_tokens": 3, "completion_tokens": 1}},
            DONE,
        ],
        text="",
        stop="tool_use",
        calls=(("time", {}),),
    ),
    "llama.cpp: arguments are an object": Quirk(
        [called(function("weather", PARIS, index=0, id="a")), piece(None, "tool_calls"), DONE],
        **USED,  # type: ignore[arg-type]
    ),
    "LM Studio: a call of nothing": Quirk(
        [piece("Hello"), called({"id": "", "type": "function"}), STOP, DONE]
    ),
    "LiteLLM: arguments begin with an empty object": Quirk(
        [
            called(function("weather", "{}", index=0, id="a")),
            called(function(None, '{"city": "Paris"}', index=0)),
            *(piece(None, "tool_use"), DONE),
        ],
        **USED,  # type: ignore[arg-type]
    ),
    "Qwen: a name that is empty from the second piece on": Quirk(
        [
            called(function("weather", '{"city": ', index=0, id="a")),
            called(function("", '"Paris"}', index=0, id="")),
            *(piece(None, "tool_calls"), DONE),
        ],
        **USED,  # type: ignore[arg-type]
    ),
    "the only call as it was before there were several": Quirk(
        [
            piece(None, function_call={"name": "weather", "arguments": '{"city": '}),
            piece(None, function_call={"arguments": '"Paris"}'}),
            *(piece(None, "function_call"), DONE),
        ],
        **USED,  # type: ignore[arg-type]
    ),
    "calls by their index": Quirk(
        [
            piece(None, tool_calls={"0": function("weather", '{"city": ', id="a")}),
            piece(None, tool_calls={"0": {"function": {"arguments": '"Paris"}'}}}),
            piece(None, "tool_calls"),
        ],
        **USED,  # type: ignore[arg-type]
    ),
    "thinking in parts alone": Quirk(
        [
            piece("", reasoning_details=[{"type": "reasoning.text", "text": "h"}]),
            piece(None, reasoning_details=[{"type": "reasoning.summary", "summary": "m"}]),
            piece("", reasoning_details=[{"type": "reasoning.encrypted", "data": "x"}]),
            *HELLO,
        ],
        thinking="hm",
    ),
    "errors that say nothing": Quirk(
        [
            {**piece("Hel"), "error": {"code": None, "message": ""}},
            {**piece("lo"), "error": [{}]},
            {**STOP, "error": {}},
        ]
    ),
    "a reason in the delta": Quirk([HELLO[0], piece("lo", finish_reason="stop"), DONE]),
    "a reason in an empty delta": Quirk(
        [*HELLO[:2], piece("", finish_reason="length")], stop="max_tokens"
    ),
    "a reason beside the choices": Quirk([HELLO[0], {**piece("lo"), "finish_reason": "STOP"}]),
    "a reason alone": Quirk([*HELLO[:2], {"choices": [], "finish_reason": "stop"}, DONE]),
    "remarks between the pieces": Quirk(
        [
            *({"choices": [], "message": "queued"}, HELLO[0]),
            *({"choices": [], "detail": "meta"}, {"detail": [{"trace": 1}]}, {"msg": "half"}),
            *(HELLO[1], {"message": "nearly"}, STOP, {"choices": [], "msg": "cost 3"}, DONE),
        ]
    ),
    "framed twice": Quirk(["data: " + json.dumps(event) for event in HELLO] + ["data: [DONE]"]),
    "a reason in a list": Quirk([piece("Hello"), piece("", ["stop"])]),
    "an id that comes late": Quirk(
        [
            called(function("weather", '{"city": ', index=0)),
            called(function(None, '"Paris"}', index=0, id="a")),
            *(piece(None, "tool_calls"), DONE),
        ],
        **USED,  # type: ignore[arg-type]
    ),
    "another id in each piece": Quirk(
        [
            called(function("weather", '{"city": ', index=0, id="a1")),
            called(function(None, '"Paris"}', index=0, id="a2")),
            *(piece(None, "tool_calls"), DONE),
        ],
        **USED,  # type: ignore[arg-type]
    ),
    "pieces of two calls in turn, by their ids": Quirk(
        [
            called(function("weather", '{"city": ', id="a"), function("time", "{", id="b")),
            called(function(None, '"Paris"}', id="a"), function(None, "}", id="b")),
            piece(None, "tool_calls"),
        ],
        text="",
        stop="tool_use",
        calls=(("weather", PARIS), ("time", {})),
    ),
    "a whole call that is said twice": Quirk(
        [*[called(function("weather", json.dumps(PARIS), index=0, id="a"))] * 2, STOP],
        **USED,  # type: ignore[arg-type]
    ),
    "Bedrock: thinking in an object": Quirk(
        [
            *(piece(None, reasoning_content={"text": text}) for text in "hm"),
            *(piece(None, reasoning_content={"signature": "s"}), *HELLO),
        ],
        thinking="hm",
    ),
    "llama.cpp, SGLang: fields of their own, and null for the role": Quirk(
        [
            {**piece(None, role=None), "prompt_progress": {"total": 9, "processed": 4}},
            *(HELLO[0], HELLO[1], {**STOP, "timings": {"predicted_n": 4}}, DONE),
        ]
    ),
    "Ollama: a reason with each piece": Quirk([piece("Hel", "stop"), piece("lo", "stop"), DONE]),
    "a call without its frame": Quirk(
        [called({"id": "a", "name": "weather", "arguments": json.dumps(PARIS)}), STOP],
        **USED,  # type: ignore[arg-type]
    ),
    "one call without a list": Quirk(
        [piece(None, tool_calls=function("weather", PARIS)), piece(None, "eos")],
        **USED,  # type: ignore[arg-type]
    ),
    "a whole message in place of deltas": Quirk(
        [
            {
                "object": "chat.completion",
                "choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}],
            },
            DONE,
        ]
    ),
    "a whole message beside an empty delta": Quirk(
        [{"choices": [{"delta": {}, "message": {"content": "Hello"}, "finish_reason": "stop"}]}]
    ),
    "Perplexity: the message so far beside each delta": Quirk(
        [
            {"choices": [{"delta": {"content": "Hel"}, "message": {"content": "Hel"}}]},
            {"choices": [{"delta": {"content": "lo"}, "message": {"content": "Hello"}}]},
            {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]},
        ]
    ),
    "completions of old": Quirk(
        [{"choices": [{"text": "Hello", "finish_reason": "length"}]}], stop="max_tokens"
    ),
    "a choice without a list": Quirk([{"choices": piece("Hello")["choices"][0]}, STOP]),
    "a choice without any frame": Quirk(
        [{"delta": {"content": "Hello"}}, {"finish_reason": "stop"}]
    ),
    "numbers as texts, texts as numbers": Quirk(
        [
            {"choices": [{"index": "0", "delta": {"content": 42}}]},
            {"choices": [{"index": 0.0, "delta": {"content": ["!"]}, "finish_reason": "stop"}]},
        ],
        text="42!",
    ),
    "texts in objects": Quirk(
        [
            piece({"type": "text", "text": {"value": "He"}}),
            piece([[{"type": "output_text", "text": "l"}], "l", {"content": "o"}]),
            STOP,
        ]
    ),
    "what is no text says nothing": Quirk(
        [piece([{"type": "image_url", "image_url": {"url": "x"}}, True, None]), *HELLO]
    ),
    "null everywhere": Quirk(
        [
            None,
            {"choices": None, "usage": None, "error": None},
            {"choices": [None]},
            {"choices": [{"index": None, "delta": {"content": None, "tool_calls": None}}]},
            called(None, reason=None),
            *HELLO,
        ]
    ),
    "usage of any kind": Quirk(
        [{**piece("Hello"), "usage": "many"}, {**STOP, "usage": [1]}, {"choices": [], "usage": 5}]
    ),
    "words between the events": Quirk(["ping", *HELLO, "keep-alive", "[done]"]),
    "two events without an empty line": Quirk(
        [f"{json.dumps(piece('Hel'))}\ndata: {json.dumps(piece('lo'))}", STOP]
    ),
    "a byte order mark in front of each": Quirk([f"\ufeff{json.dumps(event)}" for event in HELLO]),
    "the done word in blanks": Quirk([*HELLO, "  [DONE]  "]),
    "the done word in quotes": Quirk([*HELLO, '"[DONE]"']),
    "raw control characters": Quirk(
        ['{"choices": [{"index": 0, "delta": {"content": "a\x07b\tc"}}]}', STOP], text="a\x07b\tc"
    ),
    "half a character in each of two pieces": Quirk(
        [
            '{"choices": [{"delta": {"content": "a\\ud83d"}}]}',
            '{"choices": [{"delta": {"content": "\\ude00b"}}]}',
            STOP,
        ],
        text="a\U0001f600b",
    ),
    "half a character without its rest": Quirk(
        ['{"choices": [{"delta": {"content": "a\\ud83d"}, "finish_reason": "stop"}]}'],
        text="a\ufffd",
    ),
    "half a character in arguments": Quirk(
        [
            '{"choices": [{"delta": {"tool_calls": [{"id": "a", "function": '
            '{"name": "weather", "arguments": "{\\"city\\": \\"\\ud83d"}}]}}]}',
            '{"choices": [{"delta": {"tool_calls": [{"function": '
            '{"arguments": "\\ude00\\"}"}}]}, "finish_reason": "stop"}]}',
        ],
        text="",
        stop="tool_use",
        calls=(("weather", {"city": "\U0001f600"}),),
    ),
}
