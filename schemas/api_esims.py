"""The public API as JSON: eSIMs as their owner sees them, and what can be added to one."""

from __future__ import annotations

from datetime import datetime

import msgspec

from schemas.api import PlanData, PlanId, PlanValidity, Price
from schemas.esim import DataUsage, EsimCoverage, EsimPackage, ProfileState, ServiceState


class InstallLinks(msgspec.Struct, frozen=True):
    """Links that open the phone's own dialogue: iOS 17.4 and later, Android 10 and later."""

    ios: str
    android: str


class OrderEsim(msgspec.Struct, frozen=True):
    """What an order delivered. ``activation_code`` is a secret: whoever has it can take the line.

    ``smdp_address``, ``matching_id``, pictures and links are null when the code is not complete. ``page_url`` is a
    page for the traveller, for a while, to whoever has its address.
    """

    id: str
    iccid: str | None
    activation_code: str | None
    smdp_address: str | None
    matching_id: str | None
    confirmation_code_required: bool
    qr_svg_url: str | None
    qr_png_url: str | None
    install: InstallLinks | None
    page_url: str | None


class Esim(msgspec.Struct, frozen=True):
    """An eSIM's life as its supplier last told it, at ``observed_at`` (null: it was not asked yet)."""

    id: str
    iccid: str
    order_id: str
    plan_id: PlanId
    profile_state: ProfileState
    service_state: ServiceState
    data: DataUsage | None
    expires_at: datetime | None
    can_topup: bool | None
    packages: tuple[EsimPackage, ...]
    coverage: tuple[EsimCoverage, ...]
    observed_at: datetime | None
    created_at: datetime


class EsimPage(msgspec.Struct, frozen=True):
    """A page of eSIMs, the newest first."""

    data: list[Esim]
    has_more: bool
    next_cursor: str | None


class EsimUsage(msgspec.Struct, frozen=True):
    """What was used of an eSIM's data, as its supplier said at ``observed_at``."""

    data: DataUsage | None
    observed_at: datetime


class TopupPlan(msgspec.Struct, frozen=True):
    """Something that can be added to an eSIM, at today's price. ``id`` is its ``topup_plan_id``."""

    id: str
    plan_id: PlanId
    name: str
    data: PlanData
    validity: PlanValidity
    price: Price


class TopupPlanList(msgspec.Struct, frozen=True):
    """What can be added to an eSIM, the cheapest first; empty when nothing can."""

    data: list[TopupPlan]
