"""Answers an e-mail: it comes on standard input, and its reply goes to standard output.

    API_KEY=... python respond.py --agent my-agent --address help@shop.example < mail | sendmail -t

A mail server calls it so for each mail. Replies to a reply are one conversation. Mails of programs
get no reply: two of them would write to each other for ever."""

import argparse
import os
import sys
from email import message_from_binary_file, policy
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr
from hashlib import sha256

from clawsite_client import ClawError, Client

MAX_CHARACTERS = 30_000
"""Of a mail; a message may have 32 KiB."""
BULK = ("bulk", "list", "junk")
TRY_LATER = 75
"""The exit code by which a mail server keeps the mail and calls again (sysexits.h)."""


def is_of_a_person(mail: EmailMessage, own: str) -> bool:
    """Whether somebody waits for a reply (https://www.rfc-editor.org/rfc/rfc3834)."""
    sender = parseaddr(mail.get("From", ""))[1]
    automatic = mail.get("Auto-Submitted", "no").lower() != "no" or "List-Id" in mail
    bulk = mail.get("Precedence", "").lower() in BULK
    return bool(sender) and sender.lower() != own.lower() and not automatic and not bulk


def conversation_of(mail: EmailMessage) -> str:
    """A name for the thread of this sender; nobody else gets into it by naming the thread."""
    references = mail.get("References", "").split() or [mail.get("Message-ID", make_msgid())]
    sender = parseaddr(mail["From"])[1].lower()
    return f"mail:{sha256(f'{sender} {references[0]}'.encode()).hexdigest()}"


def text_of(mail: EmailMessage) -> str:
    """The words of a mail, without those that it quotes."""
    part = mail.get_body(("plain", "html"))
    content = part.get_content() if part else ""
    own = [line for line in content.splitlines() if not line.startswith(">")]
    return f"Subject: {mail.get('Subject', '')}\n\n" + "\n".join(own)[:MAX_CHARACTERS]


def reply_to(mail: EmailMessage, content: str, own: str) -> EmailMessage:
    """The reply, in the thread of the mail."""
    reply = EmailMessage(policy=policy.SMTP)
    subject = mail.get("Subject", "")
    reply["From"], reply["To"] = own, mail.get("Reply-To") or mail["From"]
    reply["Subject"] = subject if subject.lower().startswith("re:") else f"Re: {subject}"
    reply["Message-ID"], reply["Auto-Submitted"] = make_msgid(), "auto-replied"
    if identity := mail.get("Message-ID"):
        reply["In-Reply-To"] = identity
        reply["References"] = " ".join([*mail.get("References", "").split(), identity])
    reply.set_content(content)
    return reply


def main() -> int:
    """Read the mail and write the reply; the exit code."""
    parser = argparse.ArgumentParser(description="Answer an e-mail with an agent.")
    parser.add_argument("--agent", default="my-agent")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--address", required=True, help="whom the reply is from")
    given = parser.parse_args()
    mail = message_from_binary_file(sys.stdin.buffer, EmailMessage, policy=policy.default)
    if not is_of_a_person(mail, given.address):
        return 0
    conversation = conversation_of(mail)
    # The mail server may call twice for one mail: it is asked once.
    name = f"mail:{sha256(mail.get('Message-ID', conversation).encode()).hexdigest()}"
    options = {"conversation_id": conversation, "client_message_id": name}
    try:
        with Client(given.url, os.environ["API_KEY"]) as client:
            answer = client.chat.send(text_of(mail), agent=given.agent, **options)
    except ClawError as error:
        print(f"{error.code}: {error.message}", file=sys.stderr)
        return TRY_LATER if error.retryable else 1
    sys.stdout.buffer.write(reply_to(mail, answer.content, given.address).as_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
