"""The addresses to which the server may connect on behalf of a tenant.

A tenant who sets an address that we connect to could aim it at our own network. So every connection
to such an address is checked twice: the URL before anything is sent, and the very IP address that
is about to be connected (no second lookup in between that could give another answer).
`engine.http.dialer` connects. This module opens nothing.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import urlsplit

from engine.errors import ClawError

Network: TypeAlias = IPv4Network | IPv6Network

PORTS = frozenset({80, 443})
DEFAULT_PORT = {"http": 80, "https": 443}

HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", re.IGNORECASE)
NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)
UNSAFE = re.compile(r"[^\x21-\x7e]|\\")  # parsers disagree about these

GLOBAL_UNICAST_V6 = ip_network("2000::/3")  # RFC 4291; leaves out mapped IPv4 and NAT64
NOT_GLOBAL = (
    ip_network("192.0.0.0/24"),  # IETF protocol assignments, RFC 6890
    ip_network("192.88.99.0/24"),  # 6to4 relays, RFC 7526
    ip_network("2002::/16"),  # 6to4: leads to the IPv4 address inside
)


class AddressRefused(ClawError):
    """An address that we do not connect to; `reason` is for our log only."""

    def __init__(self, reason: str) -> None:
        super().__init__("invalid_message", "This address is not allowed.")
        self.reason = reason


class Guard:
    """Lets through https to public addresses, and anything in `allowed_private`."""

    def __init__(self, allowed_private: Sequence[Network] = ()) -> None:
        self.allowed_private = tuple(allowed_private)

    def check_url(self, url: str) -> None:
        """Raise `AddressRefused` for what is wrong whatever the name in `url` resolves to."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise AddressRefused(f"malformed: {error}") from None
        if parts.scheme not in DEFAULT_PORT or UNSAFE.search(url):
            raise AddressRefused("neither http nor https, or unsafe characters")
        if "@" in parts.netloc:
            raise AddressRefused("user information in the address")
        if parts.netloc.startswith("[") or is_address(host):
            self.check_address(parts.scheme, host, port or DEFAULT_PORT[parts.scheme])
        elif not HOST.fullmatch(host) or NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
            raise AddressRefused("not a host name (or an IPv4 address in disguise)")

    def check_address(self, scheme: str, address: str, port: int) -> None:
        """Raise `AddressRefused` unless `address` (an IP address) may be connected to."""
        if not is_address(address):
            raise AddressRefused("not a canonical IP address")
        ip = ip_address(address)
        if any(ip in network for network in self.allowed_private):
            return
        if not is_public(ip):
            raise AddressRefused(f"{ip} is not a public address")
        if scheme != "https":
            raise AddressRefused("not https")
        if port not in PORTS:
            raise AddressRefused(f"port {port}")


def is_address(host: str) -> bool:
    """Whether `host` is an IP address in canonical notation, without a zone."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def is_public(ip: IPv4Address | IPv6Address) -> bool:
    """Whether `ip` is global unicast: routed on the Internet, to one host."""
    if not ip.is_global or ip.is_multicast or any(ip in network for network in NOT_GLOBAL):
        return False
    return ip.version == 4 or ip in GLOBAL_UNICAST_V6
