"""Which offer an order buys next: the cheapest that may be sold, under what the order may cost."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from gateway.items.item_rules import ItemWanted
from gateway.orders.rules.failures import MOST_OF_OURS, MOST_TRIES, OURS, detail_of, failure_of
from gateway.orders.rules.states import AttemptNow
from gateway.pricing.price_rules import PriceRule
from schemas.features import Wanted, lacking
from schemas.money import Money
from schemas.orders import FailureCode
from schemas.plan import Features, Network, WhyNot


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An offer of the plan.

    ``why_not`` keeps it from sale, ``unfit`` from this order. ``cost_base`` is None when there is no rate.
    ``rule`` is what prices it. ``item`` is what its supplier is asked for where that is no eSIM, ``units`` how many of
    it: ``cost`` is for all of them. ``available_funds`` is what can still be spent at the supplier, in base currency,
    None when that is not known.
    """

    supplier: str
    supplier_plan_id: str
    cost: Money
    cost_base: Decimal | None
    tolerance: Decimal = Decimal(0)
    why_not: tuple[WhyNot, ...] = ()
    unfit: str | None = None
    rule: PriceRule = PriceRule()
    item: ItemWanted | None = None
    units: int = 1
    available_funds: Decimal | None = None

    @property
    def most(self) -> Decimal | None:
        """What it may come to cost, in base currency."""
        return None if self.cost_base is None else self.cost_base * (1 + self.tolerance)


class Chosen(msgspec.Struct, frozen=True):
    """The offer to buy, why it is this one, and why each other was left (supplier, plan, reason)."""

    candidate: Candidate
    why: str
    left: tuple[tuple[str, str, str], ...]


class NoneLeft(msgspec.Struct, frozen=True):
    """Nothing can be bought: the failure code and why each offer was left."""

    code: FailureCode
    detail: str
    left: tuple[tuple[str, str, str], ...]


class Waits(msgspec.Struct, frozen=True):
    """Every offer that is left is kept from sale by a stop or a pause: the order waits until they are lifted."""

    left: tuple[tuple[str, str, str], ...]


def in_order(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The cheapest first; ties by supplier, then its own id."""
    dearest = Decimal("Infinity")
    return sorted(
        candidates,
        key=lambda c: (dearest if c.cost_base is None else c.cost_base, c.supplier, c.supplier_plan_id),
    )


def choose(
    candidates: Sequence[Candidate],
    max_cost: Decimal,
    attempts: Sequence[AttemptNow] = (),
    over_limit: Collection[tuple[str, str]] = (),
) -> Chosen | Waits | NoneLeft:
    """The next offer to buy after failed ``attempts``. ``over_limit``: offers beyond their supplier's day.

    ``Waits`` comes only where nothing else is left to buy: a stop or a pause delays an order and never ends it.
    """
    found = choices(candidates, max_cost, attempts, over_limit)
    return found if isinstance(found, Waits | NoneLeft) else found[0]


def choices(
    candidates: Sequence[Candidate],
    max_cost: Decimal,
    attempts: Sequence[AttemptNow] = (),
    over_limit: Collection[tuple[str, str]] = (),
) -> list[Chosen] | Waits | NoneLeft:
    """Every offer that may be bought next, the one to buy first: the others are for a supplier that is busy."""
    left: list[tuple[str, str, str]] = []
    found: list[Chosen] = []
    dear = limited = waiting = False
    for candidate in in_order(candidates):
        reason = _against(candidate, attempts)
        waits = reason == WhyNot.SUPPLIER_PAUSED.value and len(attempts) < MOST_TRIES
        if reason is None or waits:
            if candidate.most is None or candidate.most > max_cost:
                reason, waits, dear = "above what the order may cost", False, True
            elif (candidate.supplier, candidate.supplier_plan_id) in over_limit:
                reason, waits, limited = "the supplier's daily spend limit is reached", False, True
        waiting = waiting or waits
        if reason is None and len(attempts) < MOST_TRIES:
            found.append(Chosen(candidate, _why(candidate, attempts), tuple(left)))
        else:
            left.append((candidate.supplier, candidate.supplier_plan_id, reason or "tried often enough"))
    if found:
        return found
    return Waits(tuple(left)) if waiting else _none(tuple(left), attempts, dear=dear, limited=limited)


RATE_WAIT = timedelta(seconds=60)
LONGEST_RATE_WAIT = timedelta(minutes=15)


def waited_too_long(turn_wait_since: datetime, now: datetime) -> tuple[bool, bool]:
    """Whether an order that waits for its turn at a supplier takes any other offer now, and whether it is given up.

    ``turn_wait_since`` is when that wait began, or its last attempt ended (RULES 37); a stop takes none of the time.
    """
    waited = now - turn_wait_since
    return waited >= RATE_WAIT, waited >= LONGEST_RATE_WAIT


def fits(wanted: Wanted, features: Features, networks: Sequence[Network], countries: Collection[str]) -> str | None:
    """Why an offer lacks a feature that was asked for; None when it has them all."""
    names = lacking(wanted, features, networks, countries)
    return f"without {', '.join(names)}" if names else None


def _against(candidate: Candidate, attempts: Sequence[AttemptNow]) -> str | None:
    """What keeps an offer from being bought; a pause or stop only where nothing else does, for it is waited for."""
    if candidate.unfit is not None:
        return candidate.unfit
    others = [why for why in candidate.why_not if why is not WhyNot.SUPPLIER_PAUSED]
    if others:
        return others[0].value
    paused = WhyNot.SUPPLIER_PAUSED.value if candidate.why_not else None
    return _after_tries(candidate, attempts) or paused


def _after_tries(candidate: Candidate, attempts: Sequence[AttemptNow]) -> str | None:
    tries = [
        a for a in attempts if (a.supplier, a.supplier_plan_id) == (candidate.supplier, candidate.supplier_plan_id)
    ]
    if any(a.error_code not in OURS for a in tries) or len(tries) >= MOST_OF_OURS:
        return f"tried: {tries[-1].error_code}"
    # What a supplier answers to one offer for a reason of its own it answers to the next one too.
    blocked = next((a for a in attempts if a.supplier == candidate.supplier and a.error_code in _WHOLE_SUPPLIER), None)
    return None if blocked is None else f"the supplier said {blocked.error_code}"


_WHOLE_SUPPLIER = frozenset({"insufficient_balance", "not_authorised", "rate_limited", "not_reached"})


def _why(candidate: Candidate, attempts: Sequence[AttemptNow]) -> str:
    if not attempts:
        return f"cheapest in stock at {candidate.cost}"
    last = attempts[-1]
    return f"cheapest left at {candidate.cost} after {last.supplier}: {last.error_code}"


def _none(
    left: tuple[tuple[str, str, str], ...], attempts: Sequence[AttemptNow], *, dear: bool, limited: bool
) -> NoneLeft:
    code: FailureCode
    if dear:
        code = "price_changed"
    elif attempts:
        code = failure_of(attempts[-1].error_code)[0]
    else:
        code = "spend_limit" if limited else "no_stock"
    return NoneLeft(code, detail_of(code), left)
