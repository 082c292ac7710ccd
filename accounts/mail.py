"""Mail that we send, and mail of an installation without a mail server (`EMAIL_URL`)."""

import hashlib
from smtplib import SMTPRecipientsRefused

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, send_mail
from django.core.mail.backends.console import EmailBackend
from django.core.validators import validate_email

from engine.errors import ClawError, Unavailable, invalid

HOUR = 3600
RETRY_MS = 30_000


class PrintedMail(EmailBackend):
    """Prints every mail as one line, so that the address and the code stand together."""

    def write_message(self, message: EmailMessage) -> None:
        """One line of a mail."""
        words = " ".join(str(message.body).split())
        self.stream.write(f"Mail to {', '.join(message.to)}: {message.subject}: {words}\n")


def send(email: str, subject: str, text: str) -> None:
    """Hand a mail to the mail server, and wait until it has it. Raises `invalid_message` for an
    address that is none or that the server refuses, and `unavailable`."""
    try:
        validate_email(email)
    except ValidationError:
        raise invalid("email", "This is no e-mail address.") from None
    try:
        send_mail(subject, text, None, [email])
    except SMTPRecipientsRefused:
        raise invalid("email", "The mail server refuses this address.") from None
    except OSError:  # that of smtplib too
        raise Unavailable(
            "The mail server does not answer. Nothing was changed: try again soon.",
            retry_after=RETRY_MS,
        ) from None


def count(name: str, *, at_most: int) -> None:
    """Count a mail under this name, in the present hour. Raises `rate_limited`."""
    key = f"mail:{hashlib.sha256(name.encode()).hexdigest()}"
    cache.add(key, 0, HOUR)
    try:
        counted = cache.incr(key)
    except ValueError:  # its hour has just ended
        return
    if counted > at_most:
        raise ClawError(
            "rate_limited", "Too many mails: try again in an hour.", retry_after=HOUR * 1000
        )
