"""Addresses: where a storefront's webhooks may go, and what a client's address counts as.

A URL is looked at when it is registered, so that a mistake is told at once. What holds is the address that is about
to be connected to: a name can resolve to anything, and to something else the next time. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from yarl import URL

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
LONGEST_URL = 2048
_HIGHEST_PORT = 65535
_PLAIN = re.compile(r"[!-~]+\Z")
# A name whose last part is a number is an address to most resolvers: 127.1, 0x7f000001, 2130706433.
_NUMBER = re.compile(r"(?:.*\.)?(?:0[xX][0-9a-fA-F]*|[0-9]+)\.?\Z")

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
# Global by the registry's table or by an older Python's, and still nobody's web server: protocol assignments and
# the relays of 6to4; Teredo and its neighbours, 6to4 itself, documentation, benchmarks.
_NOBODYS: tuple[Network, ...] = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("198.18.0.0/15"),
    IPv6Network("2001::/23"),
    IPv6Network("2001:db8::/32"),
    IPv6Network("2002::/16"),
    IPv6Network("3fff::/20"),
)


def is_public(address: Address) -> bool:
    """Whether anybody on the internet could be meant.

    An IPv4 address inside an IPv6 one is judged as itself: mapped (``::ffff:10.0.0.1``) and behind the well-known
    prefix of NAT64 (``64:ff9b::a00:1``).
    """
    address = _unwrapped(address)
    if isinstance(address, IPv6Address):
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address not in _GLOBAL_UNICAST:
            return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _NOBODYS)


def is_excepted(address: Address, exceptions: Sequence[Network]) -> bool:
    """Whether the address stands in one of the networks; a mapped IPv4 address counts as itself."""
    address = _unwrapped(address)
    return any(address in network for network in exceptions if network.version == address.version)


def is_loopback(host: str) -> bool:
    """Whether a URL's host is this machine by its address, or called localhost."""
    try:
        return is_excepted(ip_address(host), LOOPBACK)
    except ValueError:
        return host == "localhost"


def counted_as(text: str) -> str:
    """What limits count a client's address as: itself, or its /64 for IPv6, which is one customer's to choose from.

    A mapped IPv4 address counts as itself; what is no address at all as it is written, as far as a row holds it.
    """
    try:
        address = _unwrapped(ip_address(text))
    except ValueError:
        return text[:100]
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((int(address) >> 64 << 64, 64)))


def may_connect(text: str, exceptions: Sequence[Network], *, encrypted: bool) -> bool:
    """Whether a socket may be opened to this address (text): a public one by https, an exception by http too."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return is_excepted(address, exceptions) or (encrypted and is_public(address))


def fault_of_url(text: str, exceptions: Sequence[Network]) -> str | None:
    """What is wrong with the URL of an endpoint, None when nothing is.

    It must be https; http will do for what ``exceptions`` list. A name is not resolved here.
    """
    if len(text) > LONGEST_URL or not _PLAIN.match(text):
        return f"must be a URL of at most {LONGEST_URL} plain ASCII characters"
    try:
        url = URL(text)
        host, port = url.host, url.port
    except ValueError:
        return "is no URL"
    if url.scheme not in {"https", "http"} or not host or not port or port > _HIGHEST_PORT:
        return "must be an https URL with a host"
    if url.user is not None or url.password is not None:
        return "may not carry a user or a password"
    if "#" in text:
        return "may not have a fragment"
    return _fault_of_host(host, exceptions, encrypted=url.scheme == "https")


def _fault_of_host(host: str, exceptions: Sequence[Network], *, encrypted: bool) -> str | None:
    try:
        address = ip_address(host)
    except ValueError:
        if _NUMBER.match(host):
            return "must write an IP address in its usual form"
        # What a name stands for is seen when it is connected to; one without a dot can only be a private matter.
        local = "." not in host.rstrip(".") or host.rstrip(".").endswith(".localhost")
        if local and not exceptions:
            return "must be a public address"
        return None if encrypted or exceptions else "must be https"
    if is_excepted(address, exceptions):
        return None
    if not is_public(address):
        return "must be a public address"
    return None if encrypted else "must be https"


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
