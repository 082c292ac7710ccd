"""A local model server that speaks, as they are on the wire and faults included, the Messages API
(POST /v1/messages) and Chat Completions (POST /v1/chat/completions).

    python -m tests.upstream --port 9101          # then ANTHROPIC_BASE_URL=http://127.0.0.1:9101
                                                  # or OPENAI_BASE_URL=http://127.0.0.1:9101/v1

    async with Upstream() as upstream:            # in process, on a free port
        upstream.url, upstream.streams, upstream.requests, await upstream.until(...)

A directive in the last message of the user that has text says what to answer:

    [[upstream tokens=200 delay=5 mode=drop at=47 tag=abc]]

Durations are milliseconds. Every key:

    tag=          names the streams of one test, for the statistics
    mode=text     see below
    tokens=20     text deltas
    content=words of words ("w0 "), unicode (awkward characters), json, tagged ("TAG:0 ")
    size=0        pads every delta to so many characters
    headers=0     before the response begins
    first=0       between the headers and the first block
    delay=0       after every delta
    ping=0        a ping after every so many deltas (one follows message_start always)
    split=0       writes pieces of so many bytes, each on its own
    coalesce=0    1: writes the whole response at once
    stop=end_turn the stop reason; Chat Completions has its own words for the known ones
    cached=0      input tokens read from the cache, and as many written to it

    usage=1       0: never says what it counted (Chat Completions only, as all that follow)
    done=1        0: no `[DONE]` at the end
    index=1       0: tool calls without an index and each in one piece, as Google sends them
    field=reasoning_content   what the thinking is called: that, or reasoning
    wants=        max_tokens or max_completion_tokens: refuses a request with the other one;
                 less: refuses the value

Modes, `at=5` deltas into the text where that means something:

    text          just text
    thinking      `think=5` thinking deltas and a signature before the text
    redacted      a redacted_thinking block before the text
    tool          `tools=1` calls of `tool=` (default: the request's first) with `input=` (base64 of
                  JSON; default {"query": "weather"}; `empty` sends no arguments at all) after
                  `pre=0` text deltas; when the results come back, RESULT<...> and text;
                  `loop=1` rounds of calls before that
    pause         stops with pause_turn after `pre=0` text deltas and a call of the server's own
                  tool, and goes on with text (Messages API only)
    error         an SSE error event of `etype=overloaded_error`
    http          `status=529` with `retry_after=` (seconds, verbatim) instead of an answer, for the
                  first `times=` requests of the tag (default: always), then text;
                  `what=endless`: the body of the refusal never ends
    refuse        closes the connection before any byte, for the first `times=`
    drop          cuts the TCP connection, `how=rst` or fin
    truncate      ends the body cleanly, without message_delta and message_stop
    malformed     `what=json` | utf8 | chunk | event | html | block (a delta of an unknown block)
                  | endless (a line without end)
    stall         sends nothing for `stall=600000`, or only pings every `ping_ms=0`
    unknown       events, blocks and deltas of unknown types mixed in
    empty         no content block at all
    nostop        message_stop without any stop reason
    html          200 with a web page
    redirect      307 to `/elsewhere`

Admin: GET /admin/stats?tag= (counts: streams, requests, states, aborted, in_flight, connections);
/admin/streams?tag= (every stream: `state` is open, completed, aborted (by the caller) or a fault's
mode; `started` and `ended` in epoch seconds; `sent` text deltas); /admin/requests?tag= (headers
without secrets, body); POST /admin/reset.
"""

from tests.upstream.directive import Directive, expected_text
from tests.upstream.server import Stream, Upstream

__all__ = ["Directive", "Stream", "Upstream", "expected_text"]
