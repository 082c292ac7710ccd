"""`accounts.mail`: without a mail server the address and the code stand on one line."""

from django.core.mail import EmailMessage

from accounts.mail import PrintedMail


def test_it_works(capsys):
    body = "Hello,\n\nyour code:\n\nABC-DEF\n"
    message = EmailMessage("Your code", body, to=["ada@example.com"])
    assert PrintedMail().send_messages([message]) == 1
    assert (
        capsys.readouterr().out == "Mail to ada@example.com: Your code: Hello, your code: ABC-DEF\n"
    )
