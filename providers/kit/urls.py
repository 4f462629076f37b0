"""The addresses that are called: a base URL that may be used, and paths below it that cannot leave it."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import quote, urlencode

from yarl import URL

from schemas.errors import ConfigurationError

MAX_PAGE = 4096

Params = Mapping[str, str | int | bool | None]


def joined(base_url: str, path: str, params: Params | None = None) -> URL:
    """The path below a checked base URL, with those parameters that are not None; True is "true"."""
    pairs = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in (params or {}).items()
        if value is not None
    }
    query = f"?{urlencode(pairs, quote_via=quote)}" if pairs else ""
    return URL(f"{base_url}/{path.lstrip('/')}{query}", encoded=True)


def segment(text: str) -> str:
    """A supplier's id as one segment of a path, whatever stands in it. Raises ``ValueError`` when empty."""
    if not text:
        raise ValueError("an empty id is no path segment")
    return "%2E" * len(text) if text in {".", ".."} else quote(text, safe="", errors="replace")


def is_page(text: str) -> bool:
    """Whether this is the address of a page that a browser may be led to: https, or http on this machine."""
    if len(text) > MAX_PAGE or not text.isprintable() or " " in text:
        return False
    try:
        url = URL(text)
    except ValueError:
        return False
    host = url.host
    return (
        bool(host)
        and url.user is None
        and (url.scheme == "https" or (url.scheme == "http" and host is not None and is_loopback(host)))
    )


def check_base_url(supplier: str, base_url: str) -> str:
    """The base URL without its last slash. Raises ``ConfigurationError`` naming what is wrong.

    http is for loopback only: anything else would carry keys and activation codes in the clear.
    """
    where = f"suppliers.{supplier}.base_url"
    try:
        url = URL(base_url.strip())
    except ValueError as error:
        raise ConfigurationError(f"{where}: {error}") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigurationError(f"{where}: must be https://host/path")
    if url.user is not None or url.password is not None:
        raise ConfigurationError(f"{where}: credentials belong into their own settings, not into the URL")
    if url.query_string or url.fragment:
        raise ConfigurationError(f"{where}: must end with its path, without ? and #")
    if url.scheme == "http" and not is_loopback(url.host):
        raise ConfigurationError(f"{where}: http is allowed to this machine only; use https")
    return str(url).rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or its address alone."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
