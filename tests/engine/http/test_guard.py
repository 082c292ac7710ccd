from ipaddress import ip_network

import pytest

from engine.http.guard import AddressRefused, Guard

PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"]
REFUSED = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "fc00::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
DISGUISED = ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0x", "256.1.1.1"]
DISGUISED += ["127.0.0.1.", "127.0.0.1..", "1.2.3.4.5", "08.8.8.8", "%3127.0.0.1"]
DISGUISED += ["\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021"]  # wide digits and dots


def test_it_works() -> None:
    Guard().check_url("https://api.example.com/v1")
    for address in PUBLIC:
        Guard().check_address("https", address, 443)


@pytest.mark.parametrize("address", REFUSED)
def test_only_global_unicast_addresses_are_connected(address: str) -> None:
    with pytest.raises(AddressRefused):
        Guard().check_address("https", address, 443)
    literal = f"[{address}]" if ":" in address else address
    with pytest.raises(AddressRefused):
        Guard().check_url(f"https://{literal}/")


@pytest.mark.parametrize("host", DISGUISED)
def test_an_ipv4_address_in_disguise_is_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        Guard().check_url(f"https://{host}/")
    with pytest.raises(AddressRefused):
        Guard().check_address("https", host, 443)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "https:///path",
        "//example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://user@example.com/",
        "https://user:secret@example.com/",
        "https://@example.com/",
        "https://example.com\\@127.0.0.1/",
        "https://exa mple.com/",
        "https://exam\tple.com/",
        "https://example.com/\r\nHost: x",
        "https://example.com:port/",
        "https://example.com:99999/",
        "https://[::1/",
        "https://[v1.x]/",
        "https://exämple.com/",
        "https://a..b/",
        "https://8.8.8.8:22/",
        "http://8.8.8.8/",
    ],
)
def test_an_unsafe_url_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        Guard().check_url(url)


def test_only_https_and_the_ports_of_the_web() -> None:
    for scheme, port in [("http", 80), ("https", 22), ("https", 8443)]:
        with pytest.raises(AddressRefused):
            Guard().check_address(scheme, "8.8.8.8", port)


def test_an_allowed_network_may_be_reached_by_http_on_any_port() -> None:
    guard = Guard([ip_network("10.1.0.0/16"), ip_network("fd00::/8")])
    guard.check_url("http://10.1.2.3:11434/v1")
    guard.check_address("http", "fd00::1", 11434)
    with pytest.raises(AddressRefused):
        guard.check_address("http", "10.2.0.1", 80)
    with pytest.raises(AddressRefused):
        guard.check_address("http", "::ffff:10.1.2.3", 80)


def test_the_message_tells_nothing() -> None:
    with pytest.raises(AddressRefused) as caught:
        Guard().check_address("https", "10.0.0.1", 443)
    error = caught.value
    assert (error.code, error.message) == ("invalid_message", "This address is not allowed.")
    assert (error.details, error.retry_after) == (None, None)
    assert "10.0.0.1" in caught.value.reason
