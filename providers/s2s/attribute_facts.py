"""Facts of a plan in the attributes of a SKU and its product, whose codes are settings of the account. Pure."""

from __future__ import annotations

import re
from typing import Any

from providers.kit import durations, places, plan_facts
from providers.kit.text import clean_text
from schemas.plan import Features, Network, SetAsideReason

_BETWEEN = re.compile(r"[,;|]")
_GENERATION = re.compile(r"[\s(]+(?:(5G)|(?:4G|LTE)(?:/LTE)?|(3G))\)?$", re.IGNORECASE)
_COUNTRY = re.compile(r"([A-Z]{2})\s?:\s?")
_MOST_NETWORKS = 1000


def features(values: dict[str, Any]) -> Features:
    """What attributes say, by the names of the settings; a value that cannot be read says nothing."""
    minutes, endless_calls = plan_facts.count(values.get("voice_minutes"))
    sms, endless_sms = plan_facts.count(values.get("sms_count"))
    return plan_facts.with_calls(
        Features(
            exit_country=places.code_of(clean_text(str(values.get("exit_country") or ""))),
            hotspot=plan_facts.yes_or_no(values.get("hotspot")),
            voice_minutes=minutes,
            voice_unlimited=endless_calls,
            sms_count=sms,
            sms_unlimited=endless_sms,
            phone_number=plan_facts.yes_or_no(values.get("phone_number")),
            kyc_required=plan_facts.yes_or_no(values.get("kyc_required")),
            install_within_days=_days(values.get("install_within_days")),
        )
    )


def networks(value: Any, covered: tuple[str, ...]) -> tuple[Network, ...]:
    """The networks in "Docomo 5G, SoftBank (440-20)" or "JP: Docomo; KR: KT".

    A name without a country before it is of the last one named, or of the one that is covered.
    """
    parts = [str(part) for part in value] if isinstance(value, list) else _BETWEEN.split(str(value or ""))
    country = covered[0] if len(covered) == 1 else None
    found: dict[Network, None] = {}
    for part in map(clean_text, parts):
        text = part
        if named := _COUNTRY.match(part):
            country, text = named[1], part[named.end() :]
        newest = _GENERATION.search(text)
        name, number = plan_facts.operator(text[: newest.start()] if newest else text)
        if name and country in covered and len(found) < _MOST_NETWORKS:
            found[Network(country, name, _generation(newest), number)] = None
    return tuple(found)


def _generation(newest: re.Match[str] | None) -> str | None:
    if newest is None:
        return None
    return "5G" if newest[1] else "3G" if newest[2] else "4G"


def _days(value: Any) -> int | None:
    if value is None or isinstance(value, bool):
        return None
    found, _ = durations.stated(clean_text(str(value)))
    return None if isinstance(found, SetAsideReason) else found
