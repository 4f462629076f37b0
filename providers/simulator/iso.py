"""The ISO codes that a supplier has for its places and a market price list has not."""

from __future__ import annotations

import functools

from providers import places


def codes_by_name(place: str) -> tuple[str, ...]:
    """The code of a country by its plain English name, as a tuple of one; empty for any other spelling."""
    code = _names().get(place.lower())
    return () if code is None else (code,)


@functools.cache
def _names() -> dict[str, str]:
    return {places.country_name(code).lower(): code for code in places.country_codes()}
