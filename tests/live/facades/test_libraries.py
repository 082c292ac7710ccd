"""Other people's libraries that speak OpenAI's protocols: `openai` in JavaScript, LangChain."""

import json
import time
from pathlib import Path

import pytest

from tests.live.programs import run
from tests.live.raw import aborted, call_of, new_tag
from tests.live.server import Server
from tests.upstream.process import UpstreamProcess

WORDS = "Hello [[upstream tokens=8 delay=1]]"
TEXT = "".join(f"w{i} " for i in range(8))
LONG = "go [[upstream tokens=5000 delay=5 tag=%s]]"
CALLING = "Rome? [[upstream mode=tool tool=get_weather pre=2 tokens=3 input=eyJjaXR5IjoiUm9tZSJ9]]"


@pytest.mark.node
async def test_openai_in_javascript_works(server: Server, upstream: UpstreamProcess) -> None:
    tag = new_tag()
    program = Path(__file__).parent / "node" / "openai.mjs"
    words = {"MESSAGE": WORDS, "LONG": LONG % tag, "CALLING": CALLING}
    printed = await run("js", program, URL=server.url, API_KEY=server.keys.acme, **words)
    report = json.loads(printed)
    assert report["models"] == ["acme-agent"]
    assert {report[each] for each in ("whole", "streamed", "response", "next")} == {TEXT}
    assert "20 degrees in Rome" in report["tools"]
    assert (report["events"][0], report["events"][-1]) == ("response.created", "response.completed")
    assert report["parameter"] == ["BadRequestError", "invalid_message", "n"]
    assert report["model"][:2] == ["NotFoundError", "agent_not_found"]
    assert report["key"][:2] == ["AuthenticationError", "invalid_token"]
    await call_of(upstream, tag)
    assert await aborted(upstream, tag) < time.time()


LANGCHAIN = """
import json, os, sys


def refuse(event, args):
    if event == "socket.connect" and args[1][0] not in ("127.0.0.1", "::1"):
        raise OSError(f"it calls {args[1]}")


sys.addaudithook(refuse)
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI

words, calling = os.environ["MESSAGE"], os.environ["CALLING"]
url = os.environ["URL"] + "/v1"
agent = ChatOpenAI(model="acme-agent", base_url=url, api_key=os.environ["API_KEY"], max_retries=0)
whole = agent.invoke(words)
pieces = list(agent.stream(words))
form = {"type": "object", "properties": {}}
tool = {"name": "get_weather", "description": "", "parameters": form}
able = agent.bind_tools([{"type": "function", "function": tool}])
asked = able.invoke([HumanMessage(calling)])
(call,) = asked.tool_calls
told = ToolMessage("20 degrees in Rome", tool_call_id=call["id"])
answered = able.invoke([HumanMessage(calling), asked, told])
responses = agent.model_copy(update={"use_responses_api": True}).invoke(words)
print(json.dumps({
    "whole": whole.content,
    "usage": whole.usage_metadata["total_tokens"],
    "streamed": "".join(piece.content for piece in pieces),
    "call": [call["name"], call["args"]],
    "answered": answered.content,
    "responses": responses.text,
}))
"""


async def test_langchain_works(server: Server, tmp_path: Path) -> None:
    """It connects to nothing but us."""
    (program := tmp_path / "program.py").write_text(LANGCHAIN)
    words = {"MESSAGE": WORDS, "CALLING": CALLING, "NO_PROXY": "127.0.0.1"}
    report = json.loads(
        await run("python", program, URL=server.url, API_KEY=server.keys.acme, **words)
    )
    assert {report[each] for each in ("whole", "streamed", "responses")} == {TEXT}
    assert report["usage"] > 0 and report["call"] == ["get_weather", {"city": "Rome"}]
    assert "20 degrees in Rome" in report["answered"]
