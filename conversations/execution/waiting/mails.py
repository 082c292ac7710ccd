"""Mails to those who may decide, where their organisation asks for it: tool calls wait long."""

import asyncio
import logging
from collections import Counter

from accounts import mail
from agents.public.addresses import site_url
from conversations.access.reminders import Reminder, claim_reminders
from core.database import database_step
from core.tasks.background import Background, repeat
from engine.errors import ClawError

log = logging.getLogger(__name__)

SWEEP_SECONDS = 30.0
"""Between two looks; `approvalMailSeconds` is at least twice as long."""
TEXT = """{count} of the agents of {organization} have waited for more than {minutes}:

{tools}

Somebody may approve or decline each at
{url}

The arguments are there, and not in this mail. The next one comes in 15 minutes at the earliest."""


class ApprovalMails:
    """Looks regularly which organisations have calls of which nobody has been told."""

    def __init__(self) -> None:
        self._background = Background()

    def start(self) -> None:
        """Begin to look."""
        later = "mails about approvals are sent later"
        self._background.start(repeat(self.sweep, SWEEP_SECONDS, log, later))

    async def stop(self) -> None:
        """End what `start` began."""
        await self._background.stop()

    async def sweep(self) -> None:
        """Send the mails that are due, each once among all processes. Raises `Unavailable`."""
        for reminder in await database_step(claim_reminders):
            subject, text = written(reminder)
            for address in reminder.addresses:
                try:
                    # A thread of its own: a mail server may take half a minute.
                    await asyncio.to_thread(mail.send, address, subject, text)
                except ClawError:
                    log.error("%s was not told of approvals that wait", address)


def written(reminder: Reminder) -> tuple[str, str]:
    """The subject and the text of a mail, with nothing of what the calls would do."""
    number = len(reminder.tools)
    count = "1 tool call" if number == 1 else f"{number} tool calls"
    tools = Counter(reminder.tools)
    lines = [
        f"- {tool} of {agent}" + (f", {n} times" if n > 1 else "")
        for (tool, agent), n in tools.items()
    ]
    minutes = reminder.seconds // 60
    text = TEXT.format(
        count=count,
        organization=reminder.name,
        minutes="a minute" if minutes == 1 else f"{minutes} minutes",
        tools="\n".join(lines),
        url=f"{site_url()}/console/{reminder.slug}/approvals/",
    )
    return f"{count} in {reminder.name} {'waits' if number == 1 else 'wait'} for approval", text
