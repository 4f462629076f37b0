"""Admission: from a storefront's words to an order, in one transaction."""

from __future__ import annotations

import msgspec

from gateway.flows.deps import Deps
from gateway.flows.problem import Problem
from gateway.store.keys import Mode
from schemas.api import Price
from schemas.orders import OrderForPlan, OrderForQuote


class Admitted(msgspec.Struct, frozen=True):
    """An order that stands. ``replayed`` says that the key had it already."""

    order_id: str
    replayed: bool = False


class Valid(msgspec.Struct, frozen=True):
    """The order would be admitted, for this price."""

    price: Price


async def admit(
    deps: Deps, storefront_id: str, mode: Mode, body: OrderForPlan | OrderForQuote, idempotency_key: str
) -> Admitted | Problem:
    """Admit an order, or say why not; a problem does not use the key up.

    ``idempotency_key`` was checked for its form, ``body`` by its type. The caller then runs
    ``flows.advance.begin(deps, order_id)``; a queued job does so too.
    """
    raise NotImplementedError


async def validate(deps: Deps, storefront_id: str, mode: Mode, body: OrderForPlan | OrderForQuote) -> Valid | Problem:
    """What ``admit`` would say, without an order."""
    raise NotImplementedError
