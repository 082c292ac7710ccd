"""`core.networks`: one customer is one network, however the address is written."""

import pytest

from core.networks import ip_of, network_of


def test_it_works():
    assert str(ip_of("203.0.113.9")) == "203.0.113.9"
    assert network_of("203.0.113.9") == "203.0.113.9"
    assert network_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64"


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("203.0.113.9:4711", "203.0.113.9"),
        (" 203.0.113.9 ", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("[::FFFF:CB00:7109]:4711", "203.0.113.9"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:DB8:0:0::1]:443", "2001:db8::1"),
        ("[2001:db8::1]:", "2001:db8::1"),
        ("1.2.3.4:", "1.2.3.4"),
        ("2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_has_one_spelling(written, address):
    assert str(ip_of(written)) == address


@pytest.mark.parametrize(
    "text", ["", "unknown", "_hidden", "203.0.113", "203.0.113.09", "1::2::3", "[", "[]:1", "a:1"]
)
def test_what_is_no_address_stays_as_it_is(text):
    assert ip_of(text) is None
    assert network_of(text) == text


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8:0:0:ffff:ffff:ffff:ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:203.0.113.9", "203.0.113.9", True),
        ("::ffff:203.0.113.9", "::ffff:203.0.113.8", False),
        # Behind NAT64 (RFC 6052) and 6to4 (RFC 3056) is one IPv4 address each.
        ("64:ff9b::203.0.113.9", "203.0.113.9", True),
        ("64:ff9b::203.0.113.9", "64:ff9b::203.0.113.8", False),
        ("2002:cb00:7109:1::1", "2002:cb00:7109:2::1", True),
    ],
)
def test_a_subscriber_is_one_address(one, other, same):
    assert (network_of(one) == network_of(other)) is same


def test_what_is_no_address_is_bounded():
    assert network_of("x" * 5000) == "x" * 64
