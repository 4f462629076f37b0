"""A page of plans: the first few in the order asked for, without looking at the rest."""

from __future__ import annotations

from gateway.catalog.index import by_price, by_ratio, by_value
from gateway.catalog.index.scan import NOTHING, NULL, Found, Scan, join


def first(scan: Scan, need: int) -> Found:
    """The next plans, at most ``need`` of them, in order; those without a sort value come last."""
    valued = scan.after is None or scan.after.key != NULL
    if scan.order in ("data", "days"):
        return by_value.plans(scan, need) if valued else NOTHING
    found = NOTHING
    if valued:
        order = by_price if scan.order == "price" else by_ratio
        found = scan.sorted(order.plans(scan, need), need)
    if len(found) < need:
        found = join([found, by_value.without_value(scan, need - len(found))])
    return found
