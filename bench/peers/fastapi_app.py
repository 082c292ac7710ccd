"""A relay as one writes it with FastAPI: a WebSocket and an SSE route in front of Claude.

WAY=create|stream uvicorn fastapi_app:app
"""

import json
import os
from collections.abc import AsyncIterator

from anthropic import AsyncAnthropic
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

WAY = os.environ.get("WAY", "create")

app = FastAPI()
anthropic = AsyncAnthropic()


class Chat(BaseModel):
    message: str


async def answer(content: str) -> AsyncIterator[str]:
    """The pieces of the answer."""
    request = {
        "model": "claude-sonnet-5-5",
        "max_tokens": 1024,
        "messages": [{"role": "user", "content": content}],
    }
    if WAY == "stream":
        async with anthropic.messages.stream(**request) as stream:
            async for text in stream.text_stream:
                yield text
        return
    async with await anthropic.messages.create(**request, stream=True) as events:
        async for event in events:
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                yield event.delta.text


@app.get("/healthz")
async def healthz() -> str:
    return "ok"


@app.websocket("/ws")
async def chat_socket(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            message = await socket.receive_json()
            async for text in answer(message["content"]):
                await socket.send_json({"type": "token", "content": text})
            await socket.send_json({"type": "done"})
    except WebSocketDisconnect:
        pass


@app.post("/chat")
async def chat_stream(chat: Chat) -> StreamingResponse:
    async def events() -> AsyncIterator[str]:
        async for text in answer(chat.message):
            yield f"data: {json.dumps({'type': 'token', 'content': text})}\n\n"
        yield f"data: {json.dumps({'type': 'done'})}\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")
