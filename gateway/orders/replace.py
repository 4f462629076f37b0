"""An operator replaces an eSIM that does not work: a new order at our cost, linked to the old one, bought once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256

import msgspec

from gateway.access import audit_rows
from gateway.access.user_rows import Visitor
from gateway.catalog import wanted_rules
from gateway.catalog.offer_lines import Limits
from gateway.inventory.esim_rows import Esim
from gateway.kit.problem import Problem
from gateway.orders import replacement_rows
from gateway.orders.admit import Admitted, keyed, new_id, one_at_a_time, place
from gateway.orders.order_rows import NewOrder
from gateway.orders.process import start
from gateway.orders.replacement_rows import ReplacedOrder, Replacement
from gateway.pricing.price_rules import NoRate
from gateway.pricing.rates import no_rate
from gateway.selling.engine import Sale, SaleRequest, sale
from gateway.selling.plan_source import PlanSource, sold_plan
from gateway.suppliers.deps import Deps
from schemas.money import Money

LINK = "replaces_order"  # the storefront finds the old order by this word of the new one's metadata
_OVER = {"failed", "cancelled"}


class ReplacementWanted(msgspec.Struct, frozen=True):
    """How an eSIM is to be replaced. ``number`` is 1 for the first try, 2 once that failed, and so on.

    The same number is the same order, however often it is asked for.
    """

    number: int
    plan_id: str
    another_supplier: bool
    note: str


async def replace_esim(deps: Deps, esim: Esim, wanted: ReplacementWanted, by: Visitor | str) -> Admitted | Problem:
    """Order another eSIM for the same customer, for which the storefront pays nothing.

    The order has the old one's customer and metadata, with the old order's id in ``replaces_order``. Problems: those of
    admission, and conflict where the eSIM is replaced already or the tries before are another number.
    """
    old = await replacement_rows.replaced(deps.pool, esim.order_id)
    if old is None:
        return Problem("not_found", "there is no such eSIM")
    key = f"replacement-{wanted.number}-of-{old.id}"
    request = sha256(key.encode()).digest()
    async with one_at_a_time(old.storefront_id, old.mode, key):
        if (known := await keyed(deps, old.storefront_id, old.mode, key, request)) is not None:
            return known
        if (refusal := _refusal(await replacement_rows.replacements(deps.pool, old.id), wanted.number)) is not None:
            return refusal
        limits = Limits(wanted_rules.stored(old.wanted), ignore=(esim.supplier,) if wanted.another_supplier else ())
        try:
            found = await sale(deps, SaleRequest(old.storefront_id, PlanSource(old.mode, wanted.plan_id), limits))
        except NoRate as error:
            return no_rate(error)
        if isinstance(found, Problem):
            return found
        new = _new_order(deps, old, found, limits)
        async with deps.pool.acquire() as connection, connection.transaction():
            detail = {"order": new.id, "replaces": old.id, "plan": new.plan_id, "note": wanted.note}
            await audit_rows.record(connection, by, "esim.replace_requested", f"esim:{esim.id}", detail)
        placed = await place(deps, new, key, request, deps.clock())
    if isinstance(placed, Admitted) and deps.inline:
        start(deps, placed.order_id)
    return placed


def _refusal(before: Sequence[Replacement], number: int) -> Problem | None:
    if (live := next((each for each in before if each.status not in _OVER), None)) is not None:
        return Problem("conflict", f"this eSIM is replaced already, by {live.order_id}")
    if number != len(before) + 1:
        return Problem("conflict", "another replacement was tried meanwhile; open the page again")
    return None


def _new_order(deps: Deps, old: ReplacedOrder, found: Sale, limits: Limits) -> NewOrder:
    plan = sold_plan(deps, found)
    return NewOrder(
        id=new_id(),
        storefront_id=old.storefront_id,
        mode=old.mode,
        kind="esim",
        reference=None,
        plan_id=plan.id,
        plan=plan,
        price=Money(Decimal(0), old.currency),
        price_base=Decimal(0),
        max_cost=found.terms.max_cost,
        wanted=limits.wanted,
        only_suppliers=[],
        ignore_suppliers=list(limits.ignore),
        metadata={**old.metadata, LINK: old.id},
        email=old.email,
        email_digest=old.email_digest,
        customer_language=old.customer_language,
        replaces_order_id=old.id,
    )
