"""`clawsite.environment`: blanks around a setting mean nothing, wherever it comes from."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from clawsite.environment import Environment, cleaned


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_it_works(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAW_TESTED", " here \r\n")
    assert Environment(file).str("CLAW_TESTED") == "here"
    assert Environment(file).str("CLAW_NOT_THERE", "default") == "default"


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("sk-1\n", "sk-1"),
        ("\ufeffsk-1\r\n", "sk-1"),
        ("\t sk-1 \u00a0", "sk-1"),
        ('"sk-1"', "sk-1"),
        (" ' sk-1 ' \n", "sk-1"),
        ('"', '"'),
        ("\"a'", "\"a'"),
        ("two words", "two words"),
        ("$dollar", "$dollar"),
        (" \n", ""),
    ],
)
def test_blanks_and_quotes_around_a_value(given: str, value: str) -> None:
    assert cleaned(given) == value


def test_an_empty_value_is_none(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAW_TESTED", " \n")
    environment = Environment(file)
    assert environment.str("CLAW_TESTED", "default") == "default"
    assert environment.list("CLAW_TESTED", ["default"]) == ["default"]
    assert environment.bool("CLAW_TESTED", True) is True


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_of_windows(file: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    monkeypatch.setenv("CLAW_TESTED", "x")  # so that what the file brings goes away again
    monkeypatch.delenv("CLAW_TESTED")
    file.write_bytes("CLAW_TESTED = 'a b' \r\nOTHER=1\r\n".encode(encoding))
    monkeypatch.setenv("OTHER", "2")
    environment = Environment(file)
    assert (environment.str("CLAW_TESTED"), environment.str("OTHER")) == ("a b", "2")


def test_a_file_that_is_no_text_says_so(file: Path) -> None:
    file.write_bytes("CLAW_TESTED=1".encode("utf-16"))
    with pytest.raises(ImproperlyConfigured, match="UTF-8"):
        Environment(file)


def test_lists_have_blanks_between_them(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAW_TESTED", "a.com, 'b.com' ,,\nc.com,")
    assert Environment(file).list("CLAW_TESTED") == ["a.com", "b.com", "c.com"]


@pytest.mark.parametrize(("word", "value"), [("True\n", True), ("on", True), ("0", False)])
def test_a_word_for_yes_or_no(
    file: Path, monkeypatch: pytest.MonkeyPatch, word: str, value: bool
) -> None:
    monkeypatch.setenv("CLAW_TESTED", word)
    assert Environment(file).bool("CLAW_TESTED", not value) is value


def test_another_word_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAW_TESTED", "ture")
    with pytest.raises(ImproperlyConfigured, match="CLAW_TESTED"):
        Environment(file).bool("CLAW_TESTED", False)


@pytest.mark.parametrize(
    ("url", "engine"),
    [
        ("sqlite:////srv/x.sqlite3\n", "sqlite3"),
        ("sqlite://:memory:", "sqlite3"),
        ("Postgres://u:p%40w@h:5432/n", "postgresql"),
        ('"postgresql://u:p@h/n"', "postgresql"),
    ],
)
def test_a_database(file: Path, monkeypatch: pytest.MonkeyPatch, url: str, engine: str) -> None:
    monkeypatch.setenv("CLAW_TESTED", url)
    assert Environment(file).db("CLAW_TESTED", "")["ENGINE"].endswith(engine)


@pytest.mark.parametrize(
    "url",
    [
        *("mongodb://h/SECRET", "mysql://u:SECRET@h/n", "h/SECRET", "SECRET"),
        *("postgresql+psycopg://u:SECRET@h/n", "postgres://u:a/SECRET@h:5432/n"),
    ],
)
def test_a_database_that_we_do_not_know(
    file: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("CLAW_TESTED", url)
    with pytest.raises(ImproperlyConfigured, match="CLAW_TESTED") as caught:
        Environment(file).db("CLAW_TESTED", "")
    assert "SECRET" not in str(caught.value)


def test_names_that_nobody_asks_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["CLAW_TESTED", "CLAW_TESTET", "claw_tested", "Claw_Xyzzy", "CLAWTESTED", "CLAWS"]
    for name in (*names, "database_url", "REDIS_ULR", "REDIS_URL", "REDIS_TLS_URL"):
        monkeypatch.setenv(name, "1")
    monkeypatch.delenv("CLAW_TESTER", raising=False)
    environment = Environment(file)
    for name in ("CLAW_TESTED", "DATABASE_URL", "REDIS_URL"):
        environment.str(name)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    found = environment.unknown
    assert {name: found[name] for name in names if name in found} == {
        "CLAW_TESTET": "CLAW_TESTED",
        "claw_tested": "CLAW_TESTED",
        "Claw_Xyzzy": "",
    }
    assert found["database_url"] == "DATABASE_URL"
    assert "REDIS_ULR" not in found and "REDIS_TLS_URL" not in found  # the right one is there
    monkeypatch.delenv("REDIS_URL")
    assert environment.unknown["REDIS_ULR"] == "REDIS_URL"


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("", {"EMAIL_BACKEND": "accounts.mail.PrintedMail"}),
        ("smtp+tls://u:p%40w@h:587", {"EMAIL_HOST": "h", "EMAIL_HOST_PASSWORD": "p@w"}),
        ("SMTP+TLS://h:587", {"EMAIL_USE_TLS": True, "EMAIL_PORT": 587}),
        ("smtp://h:25", {"EMAIL_TIMEOUT": 10}),
        ("file:///srv/mail", {"EMAIL_FILE_PATH": "/srv/mail"}),
    ],
)
def test_mail(file: Path, monkeypatch: pytest.MonkeyPatch, url: str, wanted: dict) -> None:
    monkeypatch.setenv("CLAW_TESTED", url)
    config = Environment(file).mail("CLAW_TESTED")
    assert config.items() >= wanted.items()
    assert import_string(config["EMAIL_BACKEND"])


@pytest.mark.parametrize("url", ["imap://u:SECRET@h", "SECRET", "smtp://u:a/SECRET@h:25"])
def test_mail_that_we_do_not_know(file: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CLAW_TESTED", url)
    with pytest.raises(ImproperlyConfigured, match="CLAW_TESTED") as caught:
        Environment(file).mail("CLAW_TESTED")
    assert "SECRET" not in str(caught.value)
