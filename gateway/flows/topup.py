"""More data on an eSIM: what can be added, and the order for it. Bound to the eSIM's supplier."""

from __future__ import annotations

import msgspec

from gateway.flows.admit import Admitted
from gateway.flows.deps import Deps
from gateway.flows.problem import Problem
from gateway.store.keys import Mode
from schemas.money import Money
from schemas.orders import TopupForOption, TopupForPlan
from schemas.plan import Offer


class TopupOption(msgspec.Struct, frozen=True):
    """Something that can be added. ``id`` is its ``topup_plan_id``, ``price`` what the storefront pays."""

    id: str
    offer: Offer
    price: Money


async def topup_options(
    deps: Deps, storefront_id: str, mode: Mode, esim: str, currency: str | None = None
) -> list[TopupOption] | Problem:
    """What can be added to an eSIM (``esim_…`` or ICCID) now, cheapest first.

    Problems: not_found, not_supported (501, with the capability and why), unavailable.
    """
    raise NotImplementedError


async def admit_topup(
    deps: Deps, storefront_id: str, mode: Mode, esim: str, body: TopupForPlan | TopupForOption, idempotency_key: str
) -> Admitted | Problem:
    """As ``admit.admit``, for a top-up."""
    raise NotImplementedError
