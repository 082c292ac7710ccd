"""`accounts.mail`: without a mail server the address and the code stand on one line."""

import pytest
from django.core.mail import EmailMessage

from accounts.mail import PrintedMail, send
from engine.errors import ClawError


def test_it_works(capsys):
    body = "Hello,\n\nyour code:\n\nABC-DEF\n"
    message = EmailMessage("Your code", body, to=["ada@example.com"])
    assert PrintedMail().send_messages([message]) == 1
    assert (
        capsys.readouterr().out == "Mail to ada@example.com: Your code: Hello, your code: ABC-DEF\n"
    )


@pytest.mark.parametrize(
    "address", ["", "ada", "\x90@example.com", "ada@example.com\nBcc: all@example.com", "a,b@c.de"]
)
def test_what_is_no_address_is_refused_before_it_is_sent(address, mailoutbox):
    with pytest.raises(ClawError) as refused:
        send(address, "Hello", "Hello.")
    assert refused.value.code == "invalid_message"
    assert mailoutbox == []
