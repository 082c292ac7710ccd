"""`agents.auth.key_format`: what an API key looks like."""

import re

from agents.auth import key_format
from engine.errors import ClawError
from engine.ids import ALPHABET


def is_key(token: str) -> bool:
    try:
        return bool(key_format.read(token))
    except ClawError as error:
        assert (error.code, error.message) == ("invalid_token", "Invalid token")
        return False


def test_it_works(settings):
    settings.DEBUG = False
    token = key_format.generate()

    assert re.fullmatch(r"claw_live_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}", token)
    assert key_format.read(token) == key_format.digest(token)


def test_p23_a_key_has_at_least_160_random_bits():
    assert len(ALPHABET) ** key_format.RANDOM_LENGTH >= 2**160
    assert len({key_format.generate() for _ in range(100)}) == 100


def test_keys_of_a_development_installation_say_so(settings):
    settings.DEBUG = True
    assert key_format.generate().startswith("claw_test_")


def test_one_wrong_character_anywhere_is_noticed():
    token = key_format.generate()

    for place in range(len(token)):
        other = "x" if token[place] != "x" else "y"
        assert not is_key(token[:place] + other + token[place + 1 :])


def test_nothing_but_a_key_is_well_formed():
    token = key_format.generate()

    for other in (
        "",
        " ",
        "claw_live_",
        token + "\n",
        f" {token}",
        token * 2,
        "ключ",
        "a" * 10_000,
    ):
        assert not is_key(other)


def test_the_checksum_does_not_change_between_versions():
    token = "claw_live_" + "0" * 32 + "_1WuuMZ"
    assert key_format.read(token) == key_format.digest(token)


def test_the_visible_parts_recognise_a_key_and_do_not_open_it():
    token = key_format.generate()
    prefix, last_four = key_format.visible_parts(token)

    assert token.startswith(prefix) and token.endswith(last_four)
    hidden = key_format.RANDOM_LENGTH - key_format.VISIBLE_RANDOM
    assert len(ALPHABET) ** hidden / 2**32 >= 2**100  # the checksum tells at most 32 bits
