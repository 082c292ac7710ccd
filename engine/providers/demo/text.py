"""The texts of the demo provider."""

from itertools import cycle, islice

THINKING = (
    "The user talks to the built-in demo. It has no model behind it, so it should say so, "
    "and then be useful: explain what this installation can do and how to connect a real model."
)

ANSWER = """\
**This is the built-in demo**: no language model answers here, the text below is always the same. \
Everything around it is real: the stream, the event log, the history and the token counts.

### Connect a model

Set `ANTHROPIC_API_KEY` in the environment or in `.env`, restart the server, and agents whose \
provider is `auto` or `anthropic` answer with Claude. Behind a gateway, also set \
`ANTHROPIC_BASE_URL`.

### Ask from a program

Every request carries `Authorization: Bearer <API key>`. The key never belongs into a URL.

- **SSE**: `POST /a/<agent>/api/chat/stream` with `{"message": "Hello"}` streams the answer.
- **WebSocket**: connect to `/a/<agent>/api/ws`, send `{"type": "auth", "token": "<API key>"}`, \
then `{"type": "message", "content": "Hello"}`.
- **REST**: `POST /a/<agent>/api/chat` returns the whole answer at once; \
`GET /a/<agent>/api/conversations` lists what was said.

### Lose nothing

- **Resume**: each event has a `seq`. After a lost connection send \
`{"type": "resume", "runId": "...", "lastSeq": 42}`, or reconnect the SSE stream with the last \
event's id in `Last-Event-ID`: the rest arrives exactly once. The answer goes on meanwhile.
- **Cancel**: send `{"type": "cancel"}`, or `POST /a/<agent>/api/runs/<runId>/cancel`. What was \
said so far stays in the history.

### Try the demo

Start a line with one of these:

| line | what happens |
|---|---|
| `/think` | thinking comes before the answer |
| `/slow` | the words come slowly: time to cancel, or to reload the page |
| `/delay 5` | so many milliseconds between words |
| `/long 500` | an answer of so many words |
| `/echo some text` | your text comes back |
| `/fail` | the answer breaks off with an error, and its first words are kept |
| `/tool` | a tool is called and its result told; `/tool NAME {"argument": 1}` calls another one |
| `/approve 6 * 7` | a tool is called that waits until you approve it |
| `/ask` | you are asked a question, and the answer goes on when you have answered |
| `/sources refund` | the documents are searched, and the passages shown |
"""


def long_answer(words: int) -> str:
    """A text of exactly `words` words, in lines of ten."""
    tale = cycle(
        ["This", "is", "the", "built-in", "demo", "counting", "its", "words", "one", "by", "one"]
    )
    said = [f"{word} " for word in islice(tale, words)]
    said[9::10] = [f"{word.rstrip()}\n" for word in said[9::10]]
    return "".join(said)
