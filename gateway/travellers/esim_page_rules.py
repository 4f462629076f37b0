"""What a traveller is shown of an eSIM: its plan, what is left of it, and how it is installed, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from gateway.inventory import delivery_rules
from gateway.inventory.esim_rows import Esim
from gateway.inventory.esims import install_by
from gateway.travellers.appearance_rules import topup_link
from gateway.travellers.languages import Texts
from gateway.travellers.traveller_setting_rows import Appearance
from providers.kit.activation import ActivationCode
from schemas.esim import EsimStatus
from schemas.orders import InstallLinks
from schemas.plan import Features, Starts

_MOST_NAMED = 12
_STARTS: Mapping[str, str] = {
    Starts.INSTALL: "The validity starts when you install the eSIM.",
    Starts.FIRST_USE: "The validity starts when you first use the eSIM.",
    Starts.PURCHASE: "The validity started when you bought the eSIM.",
}
_SENTENCES: tuple[tuple[str, bool, str], ...] = (
    ("hotspot", True, "You can share its data with other devices."),
    ("hotspot", False, "Its data cannot be shared with other devices."),
    ("phone_number", True, "It has its own phone number."),
    ("kyc_required", True, "You must prove your identity before it works. Keep your passport ready."),
)


@dataclass(frozen=True, slots=True)
class UsageView:
    """What is left of the data, as of when; ``percent`` is left of 100, None where the whole is not known."""

    text: str
    percent: int | None
    observed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageView:
    """Everything that the page says of one eSIM, in the traveller's language."""

    data: str
    validity: str
    where: str
    starts: str
    facts: list[str]
    install_by: str
    expires: str
    usage: UsageView | None
    topup_url: str | None
    networks: list[tuple[str, str]]
    apn: str | None
    phone_number: str | None
    iccid: str
    confirmation_code_required: bool
    install: InstallLinks
    qr_svg: str
    smdp_address: str
    matching_id: str
    activation_code: str
    until: str


def view_of(
    esim: Esim, code: ActivationCode, texts: Texts, appearance: Appearance | None, page_expires_at: datetime
) -> PageView:
    """What the page says."""
    validity = esim.plan.get("validity") or {}
    status, limit = esim.status, install_by(esim)
    expires_at = status.expires_at if status is not None else None
    return PageView(
        data=data_text(esim.plan.get("data") or {}, texts),
        validity=texts.days(validity["days"]) if validity.get("days") else "",
        where=where_text(esim.plan.get("countries") or [], texts),
        starts=texts(_STARTS[validity["starts"]]) if validity.get("starts") in _STARTS else "",
        facts=list(_facts(esim.plan.get("features") or {}, texts)),
        install_by="" if limit is None else texts.day(limit),
        expires="" if expires_at is None else texts.day(expires_at),
        usage=None if status is None else usage_of(status, texts),
        topup_url=_topup_url(esim, texts, appearance),
        networks=_networks(esim, texts),
        apn=status.apn if status is not None else None,
        phone_number=status.msisdn if status is not None else None,
        iccid=esim.iccid,
        confirmation_code_required=esim.confirmation_code_required or code.confirmation_code_required,
        install=delivery_rules.install_links(code.text),
        qr_svg=delivery_rules.qr_svg(code.text).decode(),
        smdp_address=code.smdp_address,
        matching_id=code.matching_id,
        activation_code=code.text,
        until=texts.day(page_expires_at - timedelta(seconds=1)),
    )


def data_text(data: Mapping[str, Any], texts: Texts) -> str:
    """The amount of a plan's data ("10 GB", "1 GB per day")."""
    if data.get("unlimited"):
        return texts("Unlimited data")
    if data.get("mb") is None:
        return str(data.get("declared") or "")
    amount = texts.amount(data["mb"])
    if data.get("reset") == "daily":
        return texts("{amount} per day", amount=amount)
    return texts("{amount} per month", amount=amount) if data.get("reset") == "monthly" else amount


def where_text(codes: list[str], texts: Texts) -> str:
    """The countries of a plan; of many only the first."""
    names = texts.countries(codes)
    if len(names) > _MOST_NAMED:
        some = texts.listed(names[:_MOST_NAMED])
        return texts("{count} countries, including {names}", count=texts.number(len(names)), names=some)
    return texts.listed(names)


def usage_of(status: EsimStatus, texts: Texts) -> UsageView | None:
    """What is left of the data; None where the supplier does not say."""
    data = status.data
    if data is None:
        return None
    left = data.remaining_mb
    if left is None and data.total_mb is not None and data.used_mb is not None:
        left = max(0, data.total_mb - data.used_mb)
    if left is None:
        return None
    observed = texts.moment(status.observed_at)
    if not data.total_mb:
        return UsageView(texts("{left} left", left=texts.amount(left)), None, observed)
    text = texts("{left} of {total} left", left=texts.amount(left), total=texts.amount(data.total_mb))
    return UsageView(text, min(100, left * 100 // data.total_mb), observed)


def _facts(stated: Mapping[str, Any], texts: Texts) -> Iterator[str]:
    """What else a traveller wants to know of the plan, in sentences; what its supplier did not say is left out."""
    features = msgspec.convert(stated, Features)
    if features.voice_unlimited or features.voice_minutes:
        minutes = texts("unlimited") if features.voice_unlimited else texts.minutes(features.voice_minutes or 0)
        yield texts("Calls included: {amount}.", amount=minutes)
    if features.sms_unlimited or features.sms_count:
        count = texts("unlimited") if features.sms_unlimited else texts.number(features.sms_count or 0)
        yield texts("Text messages included: {amount}.", amount=count)
    for name, value, sentence in _SENTENCES:
        if getattr(features, name) is value:
            yield texts(sentence)


def _networks(esim: Esim, texts: Texts) -> list[tuple[str, str]]:
    """Operators by country: those that the eSIM's supplier names now, else those of the plan as it was sold."""
    found: dict[str, list[str]] = {}
    if esim.status is not None and esim.status.coverage:
        pairs = [(network.country, network.operator) for network in esim.status.coverage]
    else:
        pairs = [(network["country"], _named(network)) for network in esim.plan.get("networks") or []]
    for country, operator in pairs:
        names = found.setdefault(texts.country(country), [])
        if operator and operator not in names:
            names.append(operator)
    return [(country, texts.listed(names)) for country, names in sorted(found.items()) if names]


def _named(network: Mapping[str, Any]) -> str:
    operator, generation = str(network.get("operator") or ""), network.get("generation")
    return f"{operator} ({generation})" if operator and generation else operator


def _topup_url(esim: Esim, texts: Texts, appearance: Appearance | None) -> str | None:
    if appearance is None or appearance.topup_url is None:
        return None
    if esim.status is not None and esim.status.can_topup is False:
        return None
    return topup_link(
        appearance.topup_url, esim_id=esim.id, iccid=esim.iccid, order_id=esim.order_id, language=texts.language
    )
