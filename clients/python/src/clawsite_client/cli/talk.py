"""`claw chat`: one question, or a talk."""

import json
import sys
import time
import uuid
from collections.abc import Iterable
from typing import Any

from clawsite_client.answer import Answer, Event
from clawsite_client.cli.output import Output
from clawsite_client.errors import ClawError
from clawsite_client.synchronous import Client

INTERRUPTED = 130
"""The exit code of a program that was stopped by Ctrl-C."""
STOPS, PAUSE = 10, 0.2
"""Tries to stop an answer that the server may be about to begin, and seconds between them."""


class Talk:
    """A talk with an agent. Ctrl-C stops the answer and not the talk."""

    def __init__(
        self, client: Client, agent: str, output: Output, conversation_id: str | None
    ) -> None:
        self._client, self._agent, self._output = client, agent, output
        self._conversation_id = conversation_id
        self._files: list[str] = []
        self._asks = sys.stdin.isatty() and not output.as_json

    def attach(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Send these with the first question: a name and a content each. Raises ClawError."""
        for name, content in files:
            sent = self._client.files.upload(name, content, agent=self._agent)
            self._files.append(sent["id"])

    def hold(self) -> int:
        """Ask for a line, answer it, and so on to the end of the input; the exit code."""
        while True:
            try:
                text = input("> " if sys.stdin.isatty() else "")
            except EOFError:
                return 0
            except KeyboardInterrupt:
                print(file=sys.stderr)
                return 0
            if text.strip():
                try:
                    self.ask(text)
                except ClawError as error:
                    self._output.error(error)

    def ask(self, text: str) -> int:
        """One question; the exit code. Raises ClawError."""
        answer, name = Answer(), f"claw-{uuid.uuid4()}"
        options: dict[str, Any] = {"agent": self._agent, "conversation_id": self._conversation_id}
        options["attachments"], self._files = self._files, []
        events = self._client.chat.stream(text, client_message_id=name, **options)
        try:
            for event in events:
                answer.add(event)
                self._output.event(event)
                self._conversation_id = answer.conversation_id or self._conversation_id
                self._decide(event)
        except KeyboardInterrupt:
            events.close()
            self._output.pause()
            self._stop(answer.run_id or name)
            print("\nstopped", file=sys.stderr)
            return INTERRUPTED
        answer.reply()
        return 0

    def _stop(self, run: str) -> None:
        """Stop the answer. A message that is still on its way has no run yet."""
        for left in reversed(range(STOPS)):
            try:
                self._client.cancel(run)
                return
            except ClawError as error:
                if error.code != "run_not_found":
                    raise
                if left:
                    time.sleep(PAUSE)

    def _decide(self, event: Event) -> None:
        """Ask whoever sits there for what the agent waits for."""
        if not self._asks:
            return
        if event["type"] == "approval_required":
            call = f"{event['tool']} {json.dumps(event['args'], ensure_ascii=False)}"
            said = self._output.ask(f"Allow {call}? [y/N]")
            agreed = said.strip().lower() in ("y", "yes")
            self._client.approve(event["runId"], event, approve=agreed)
        elif event["type"] == "question":
            choices = f" {event['choices']}" if event.get("choices") else ""
            text = self._output.ask(f"{event['text']}{choices}")
            self._client.answer(event["runId"], event["id"], text)
