"""Suspect prices as operators see them: why each is not sold, and what it was compared with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.api import Cost, OfferId, OfferName, PlanId, SupplierName, SupplierPlanId
from schemas.examples import AT, example

SuspectRule: TypeAlias = Literal["moved", "below_others", "below_less", "below_minimum"]
_Rule = Annotated[
    SuspectRule,
    Meta(
        description="`moved`: far from its own last good cost. `below_others`: far below the median of others for the"
        " same plan. `below_less`: far below what others ask for less. `below_minimum`: next to nothing."
    ),
]


class RivalOffer(msgspec.Struct, frozen=True):
    """An offer of another supplier that a suspect one was compared with, as it stands now.

    Attributes:
        id: The offer.
        supplier: The supplier that sells it.
        name: Its name.
        cost: What the supplier charges.
    """

    id: OfferId
    supplier: SupplierName
    name: OfferName
    cost: Cost | None


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """An offer that is not sold because of its price.

    Attributes:
        id: The offer.
        supplier: The supplier that sells it.
        supplier_plan_id: The supplier's own id for it.
        plan_id: The plan that it is of.
        name: Its name.
        cost: What the supplier asks now.
        good_cost: Its last cost that was not suspect; null without one.
        reason: What exactly was found.
        since: Since when the cost is suspect; null where that is not known.
        compared_with: The offers that it was compared with.
    """

    id: OfferId
    supplier: SupplierName
    supplier_plan_id: SupplierPlanId
    plan_id: PlanId
    name: OfferName
    cost: Cost | None
    good_cost: Annotated[Cost | None, example(None)]
    rule: Annotated[_Rule, example("below_others")]
    reason: Annotated[str, example("under 25 % of 21.40, the median of 2 others")]
    since: Annotated[datetime | None, example(AT)]
    compared_with: list[RivalOffer]


class SuspectRelease(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose suspect prices are right: all of a supplier, or those of one rule.

    Attributes:
        supplier: The supplier whose prices are right.
    """

    supplier: SupplierName
    rule: _Rule | UnsetType = UNSET


class SuspectsReleased(msgspec.Struct, frozen=True):
    """How many offers may be sold again at their present cost.

    Attributes:
        released: How many offers may be sold again at their present cost.
    """

    released: Annotated[int, example(12)]
