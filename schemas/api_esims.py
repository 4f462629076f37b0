"""The public API as JSON: eSIMs as their owner sees them, and what can be added to one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from schemas.api import PlanData, PlanId, PlanName, PlanValidity, Price, UrlPath
from schemas.esim import DataUsage, EsimCoverage, EsimPackage, ProfileState, ServiceState
from schemas.examples import AT, example


class Esim(msgspec.Struct, frozen=True):
    """An eSIM's life as its supplier last reported it.

    Attributes:
        id: The eSIM's id.
        iccid: Its ICCID.
        order_id: The order that it was delivered for.
        plan_id: The plan that was bought.
        profile_state: The profile, on the SM-DP+ side and on the device.
        service_state: The subscription, on the network side.
        data: Its data; null where the supplier does not say.
        expires_at: When it ends; null where the supplier does not say.
        can_topup: Whether data can be added to it; null where that is not known.
        packages: The data packages on it.
        coverage: The operators that it may use.
        apn: The access point name that a phone needs; null where the supplier does not tell it.
        msisdn: Its phone number; null where the supplier does not tell it.
        imsi: Its number in the network; null where the supplier does not tell it.
        install_by: When it must be installed at the latest; null where the plan states no such limit.
        observed_at: When the supplier reported this; null when it was not asked yet.
        created_at: When it was delivered.
    """

    id: Annotated[str, example("esim_5c1f0a9be2d44b7788aa0c13")]
    iccid: Annotated[str, example("8944500102198765432")]
    order_id: Annotated[str, example("ord_7f3a9c20e1b84d65")]
    plan_id: PlanId
    profile_state: Annotated[ProfileState, example("enabled")]
    service_state: Annotated[ServiceState, example("active")]
    data: DataUsage | None
    expires_at: Annotated[datetime | None, example("2026-11-27T10:00:00Z")]
    can_topup: Annotated[bool | None, example(True)]
    packages: tuple[EsimPackage, ...]
    coverage: tuple[EsimCoverage, ...]
    apn: Annotated[str | None, example("internet")]
    msisdn: Annotated[str | None, example(None)]
    imsi: Annotated[str | None, example(None)]
    install_by: Annotated[datetime | None, example("2027-05-19T10:00:00Z")]
    observed_at: Annotated[datetime | None, example(AT)]
    created_at: datetime


class EsimUsage(msgspec.Struct, frozen=True):
    """What was used of an eSIM's data.

    Attributes:
        data: Its data; null where the supplier does not say.
        observed_at: When the supplier reported this.
    """

    data: DataUsage | None
    observed_at: datetime


class QrLinks(msgspec.Struct, frozen=True):
    """Addresses of the QR code that need no key, for a page or a mail. Whoever has one can install the eSIM.

    Attributes:
        svg_url: As an SVG picture.
        png_url: As a PNG picture.
        expires_at: When both end.
    """

    svg_url: Annotated[UrlPath, example("/e/9rB1uTqk3Q0m2v7cX5yZ8wHnpLkKjIhG1a2b3c4d5e6f7A.svg")]
    png_url: Annotated[UrlPath, example("/e/9rB1uTqk3Q0m2v7cX5yZ8wHnpLkKjIhG1a2b3c4d5e6f7A.png")]
    expires_at: datetime


class TopupPlan(msgspec.Struct, frozen=True):
    """Something that can be added to an eSIM, at today's price.

    Attributes:
        id: Send it as `topup_plan_id`.
        plan_id: The plan that it is.
        name: Its name.
        data: How much data it adds.
        validity: For how many days, and from when.
        price: What the customer pays.
    """

    id: Annotated[str, example("tp_3b9d20")]
    plan_id: PlanId
    name: PlanName
    data: PlanData
    validity: PlanValidity
    price: Price


class TopupPlanList(msgspec.Struct, frozen=True):
    """What can be added to an eSIM, the cheapest first; empty when nothing can.

    Attributes:
        data: The plans.
    """

    data: list[TopupPlan]
