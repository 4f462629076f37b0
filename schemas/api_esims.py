"""The public API as JSON: eSIMs as their owner sees them, and what can be added to one."""

from __future__ import annotations

from datetime import datetime

import msgspec

from schemas.api import PlanData, PlanId, PlanValidity, Price
from schemas.esim import DataUsage, EsimCoverage, EsimPackage, ProfileState, ServiceState


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
