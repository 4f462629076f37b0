"""A plan as it was sold: frozen in the order in the shape of the public API."""

from __future__ import annotations

from datetime import datetime

from gateway.pricing.price_rules import minor_per_day, minor_per_gb
from schemas import api
from schemas.money import Money
from schemas.orders import Order
from schemas.plan import DataAllowance, Features, Network, Starts, scope_of


def plan_sold(
    *,
    plan_id: str,
    name: str,
    coverage: tuple[str, ...],
    data: DataAllowance,
    days: int,
    starts: str,
    networks: tuple[Network, ...],
    features: Features,
    price: Money,
    offer_count: int,
    stale: bool,
    updated_at: datetime,
) -> api.Plan:
    """The plan with the price it is sold for, and the networks and features of the offer that was chosen."""
    full = None if data.full_speed is None else data.full_speed.over(days)
    minor = price.to_minor()
    return api.Plan(
        id=plan_id,
        name=name,
        scope=scope_of(coverage),
        countries=list(coverage),
        data=api.PlanData.of(data, days),
        validity=api.PlanValidity(days=days, starts=Starts(starts)),
        networks=[api.PlanNetwork.of(network) for network in networks],
        features=api.PlanFeatures.of(features),
        price=api_price(price),
        price_per_gb=api_price(Money.from_minor(minor_per_gb(minor, full), price.currency)) if full else None,
        price_per_day=api_price(Money.from_minor(minor_per_day(minor, days), price.currency)),
        in_stock=True,
        offer_count=offer_count,
        stale=stale,
        updated_at=updated_at,
    )


def name_of(order: Order) -> str:
    """What was ordered, in words."""
    if order.number is not None:
        return f"{order.number.country_name} number, {order.number.tier.name}"
    if order.voucher is not None:
        return order.voucher.name if order.voucher.quantity == 1 else f"{order.voucher.quantity} × {order.voucher.name}"
    return order.plan.name if order.plan is not None else order.kind


def api_price(money: Money) -> api.Price:
    """Money as the API writes it."""
    return api.Price(f"{money.padded().amount:f}", money.currency)
