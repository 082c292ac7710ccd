"""The addresses that ask, and whom each stands for where failures and visits are counted by it."""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

IPAddress: TypeAlias = IPv4Address | IPv6Address

MAX_LENGTH = 64  # characters of something that is no address
CUSTOMER = 64  # bits of IPv6: the least that one customer gets (RFC 6177), to choose from freely
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address

_BRACKETS = re.compile(r"\[(.*)\](?::[0-9]*)?")  # RFC 3986, 3.2.2
_PORT = re.compile(r"([0-9.]+):[0-9]*")


def ip_of(text: str) -> IPAddress | None:
    """The address that a peer or a proxy has written, also in brackets, with a port or a zone. An
    IPv4 address that is written as IPv6 (RFC 4291, 2.5.5.2) is that IPv4 address.

    None for what is no address."""
    text = text.strip()
    if found := _BRACKETS.fullmatch(text) or _PORT.fullmatch(text):
        text = found[1]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped if address.version == 6 else None) or address


def network_of(address: str) -> str:
    """The address in its one spelling; of IPv6 its /64, or the IPv4 address that NAT64 or 6to4 has
    put into it. A text that is no address, such as the peer of a UNIX socket, stays as it is."""
    found = ip_of(address)
    if found is None:
        return address[:MAX_LENGTH]
    if found.version == 6 and (inner := _ipv4_inside(found)) is not None:
        found = inner
    return str(ip_network((found, CUSTOMER), strict=False)) if found.version == 6 else str(found)


def _ipv4_inside(address: IPv6Address) -> IPv4Address | None:
    """For counting only: the owner of an IPv4 address can write such a one with it inside."""
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour
