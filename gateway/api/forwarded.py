"""Who really asks, behind proxies: ``X-Forwarded-For`` counts only as far as trusted proxies wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from multidict import CIMultiDictProxy


def client_address(request: web.Request, trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """The address of the client: the nearest that is no trusted proxy, "unknown" without a connection."""
    return client_behind(request.remote or "unknown", request.headers, trusted)


def client_behind(nearest: str, headers: CIMultiDictProxy[str], trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """The same from the address that the connection comes from, and a request's headers."""
    if not trusted:
        return nearest
    hops = [hop.strip() for line in headers.getall("X-Forwarded-For", []) for hop in line.split(",")]
    while hops and _is_in(nearest, trusted):
        hop = hops.pop()
        if _is_in(hop, None):
            nearest = hop
        else:
            break  # not an address: whoever wrote it is not believed
    return nearest


def origin(request: web.Request, trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """The origin under which the client reached us ("https://ops.example.com"), as a trusted proxy before us says."""
    host = request.host
    if trusted and _is_in(request.remote or "", trusted):
        host = request.headers.get("X-Forwarded-Host", host).split(",")[-1].strip()
    return f"{'https' if is_https(request, trusted) else 'http'}://{host}"


def is_https(request: web.Request, trusted: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Whether the client talks https, to us or, as it says, to a trusted proxy before us."""
    if (
        trusted
        and (forwarded_proto := request.headers.get("X-Forwarded-Proto"))
        and _is_in(request.remote or "", trusted)
    ):
        return forwarded_proto.split(",")[-1].strip().lower() == "https"
    return request.secure


def is_trusted(address: str, trusted: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Whether a trusted proxy has this address."""
    return bool(trusted) and _is_in(address, trusted)


def address_group(address: str) -> str:
    """What a limit counts together: an IPv4 address by itself, an IPv6 one with its /64. Other text stays."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(IPv6Network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)


def _is_in(text: str, networks: Sequence[IPv4Network | IPv6Network] | None) -> bool:
    try:
        address: IPv4Address | IPv6Address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return networks is None or any(address in network for network in networks if network.version == address.version)
