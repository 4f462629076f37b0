"""What is typed on the command line as what operations take: countries by name, amounts of data, moments."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from schemas.errors import ConfigurationError

_AMOUNT = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*(gb|mb|)\s*\Z", re.IGNORECASE)


def country_code(text: str) -> str:
    """A country by its code or name. Raises ``ConfigurationError``."""
    from providers.kit.places import country

    code = country(text)
    if code is None:
        raise ConfigurationError(
            f"unknown country {text!r}: use its English name or its ISO 3166-1 alpha-2 code, such as JP"
        )
    return code


def country_codes(texts: Iterable[str]) -> list[str]:
    """Several countries."""
    return [country_code(text) for text in texts]


def megabytes(text: str) -> int:
    """An amount of data: "5GB", "500MB", "512". Raises ``ConfigurationError``."""
    from schemas.plan import NOMINAL_MB_PER_GB, asked_mb

    found = _AMOUNT.match(text)
    if found is None:
        raise ConfigurationError(f"{text!r} is not an amount of data. Use for example 5GB, 500MB or 512")
    number = float(found[1])
    return asked_mb(round(number * NOMINAL_MB_PER_GB)) if found[2].lower() == "gb" else round(number)


def moment(text: str) -> datetime:
    """A time: "24h" ago, "7d" ago, or "2026-11-20". Raises ``ConfigurationError``."""
    from gateway.kit.since import since

    found = since(text, datetime.now(UTC))
    if found is None:
        raise ConfigurationError(f"{text!r} is not a time. Use for example 24h, 7d or 2026-11-20")
    return found
