"""The public API as JSON: eSIMs as their owner sees them, and what can be added to one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from schemas.api import PlanData, PlanId, PlanName, PlanValidity, Price
from schemas.esim import DataUsage, EsimCoverage, EsimPackage, ProfileState, ServiceState
from schemas.examples import AT, example


class Esim(msgspec.Struct, frozen=True):
    """An eSIM's life as its supplier last reported it, at ``observed_at`` (null: it was not asked yet).

    ``apn``, ``msisdn`` (its phone number) and ``imsi`` are null where the supplier does not tell them. ``install_by``
    is when it must be installed, null where the plan states no such limit.
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
    """What was used of an eSIM's data, as its supplier said at ``observed_at``."""

    data: DataUsage | None
    observed_at: datetime


class TopupPlan(msgspec.Struct, frozen=True):
    """Something that can be added to an eSIM, at today's price. ``id`` is its ``topup_plan_id``."""

    id: Annotated[str, example("tp_3b9d20")]
    plan_id: PlanId
    name: PlanName
    data: PlanData
    validity: PlanValidity
    price: Price


class TopupPlanList(msgspec.Struct, frozen=True):
    """What can be added to an eSIM, the cheapest first; empty when nothing can."""

    data: list[TopupPlan]
