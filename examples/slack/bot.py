"""A bot for Slack: who mentions it gets the agent's answer in the thread, growing as it comes.

    API_KEY=... SLACK_TOKEN=xoxb-... SLACK_SECRET=... python bot.py --agent my-agent

Give Slack the address of this server, with /slack/events, for the event `app_mention`
(https://docs.slack.dev/apis/events-api/). A thread is a conversation."""

import argparse
import hmac
import json
import os
import re
import sys
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
from clawsite_client import ClawError, Client

PACE = 1.0
"""Seconds between two changes of a message; Slack takes about one a second."""
AT_ONCE = 8
MAX_BODY, MAX_AGE, MAX_KNOWN = 1_000_000, 300.0, 10_000
MAX_CHARACTERS = 12_000
"""Of one message; Slack cuts longer ones."""


class Slack:
    """Its Web API (https://docs.slack.dev/apis/web-api/)."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx2.Client(base_url=url, headers=headers, timeout=20)

    def call(self, method: str, **fields: Any) -> Any:
        """Call a method. Waits where Slack says for how long."""
        while True:
            answer = self._http.post(f"/{method}", json=fields)
            if answer.status_code != 429:
                answer.raise_for_status()
                return answer.json()
            time.sleep(float(answer.headers.get("Retry-After", PACE)))


class Bot:
    """Answers mentions, several at once."""

    def __init__(self, client: Client, agent: str, slack: Slack) -> None:
        self._client, self._agent, self._slack = client, agent, slack
        self._workers = ThreadPoolExecutor(AT_ONCE)
        self._known: OrderedDict[str, None] = OrderedDict()

    def hear(self, told: dict[str, Any]) -> None:
        """An event. Slack tells it again when it has to wait: each is answered once."""
        event, identity = told["event"], told["event_id"]
        if event.get("type") != "app_mention" or event.get("bot_id") or identity in self._known:
            return
        self._known[identity] = None
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        self._workers.submit(self._answer, event, identity)

    def _answer(self, event: dict[str, Any], identity: str) -> None:
        try:
            self._stream(event, identity)
        except (ClawError, httpx2.HTTPError, KeyError) as error:
            print(f"{identity}: {error}", file=sys.stderr, flush=True)

    def _stream(self, event: dict[str, Any], identity: str) -> None:
        channel, thread = event["channel"], event.get("thread_ts", event["ts"])
        place = {"channel": channel, "thread_ts": thread}
        message = self._slack.call("chat.postMessage", **place, text="…")["ts"]
        text, shown, changed = "", "…", time.monotonic()
        try:
            for each in self._client.chat.stream(
                re.sub(r"<@\w+>", "", event["text"]).strip() or "Hello",
                agent=self._agent,
                conversation_id=f"slack:{channel}:{thread}",
                client_message_id=f"slack:{identity}",
            ):
                if each["type"] == "token":
                    text += each["content"]
                elif each["type"] == "error":
                    text += f"\n\n_{each['message']}_"
                due = time.monotonic() - changed >= PACE or each["type"] == "done"
                if due and text[:MAX_CHARACTERS] != shown:
                    shown, changed = text[:MAX_CHARACTERS], time.monotonic()
                    self._slack.call("chat.update", channel=channel, ts=message, text=shown)
        except ClawError as error:
            told = f"{text}\n\n_{error.message}_".strip()
            self._slack.call("chat.update", channel=channel, ts=message, text=told)


def is_signed(secret: str, body: bytes, stamp: str, signature: str) -> bool:
    """Whether Slack has sent this, and lately
    (https://docs.slack.dev/authentication/verifying-requests-from-slack)."""
    if not stamp.isascii() or not stamp.isdigit() or abs(time.time() - int(stamp)) > MAX_AGE:
        return False
    signed = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, sha256)
    return hmac.compare_digest(f"v0={signed.hexdigest()}".encode(), signature.encode())


def handler(bot: Bot, secret: str) -> type[BaseHTTPRequestHandler]:
    """Takes Slack's events; each is answered at once, as Slack wants."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(min(length, MAX_BODY))
            stamp = self.headers.get("X-Slack-Request-Timestamp", "")
            signature = self.headers.get("X-Slack-Signature", "")
            if not is_signed(secret, body, stamp, signature):
                return self._say(401, "")
            told = json.loads(body)
            if told["type"] == "url_verification":
                return self._say(200, told["challenge"])
            if told["type"] == "event_callback":
                bot.hear(told)
            self._say(200, "")

        def _say(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler


def main() -> None:
    """Read the arguments, and serve."""
    parser = argparse.ArgumentParser(description="Answer mentions in Slack with an agent.")
    parser.add_argument("--agent", default="my-agent")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--slack", default="https://slack.com/api")
    parser.add_argument("--port", type=int, default=3000)
    given = parser.parse_args()
    slack = Slack(given.slack, os.environ["SLACK_TOKEN"])
    bot = Bot(Client(given.url, os.environ["API_KEY"]), given.agent, slack)
    answering = handler(bot, os.environ["SLACK_SECRET"])
    with ThreadingHTTPServer(("127.0.0.1", given.port), answering) as server:
        print(f"http://127.0.0.1:{server.server_port}/slack/events", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
