"""Is every payment where it belongs? The payment supplier's own truth beside our rows; pure.

What a customer paid has become exactly one fulfilled order, or somebody is to look at it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]
AT_REST = frozenset({"paid", "expired", "failed", "closed", "needs_review"})
_CHECKOUT = re.compile(r"\[(co_[0-9a-f]{24})\]$")
# What each reason to ask a person needs to have happened, by the trigger's word at the payment supplier.
_GROUNDS: Mapping[str, frozenset[str]] = {
    "paid_twice": frozenset({"paid_twice"}),
    "paid_too_little": frozenset({"wrong_amount"}),
    "paid_too_much": frozenset({"wrong_amount"}),
    "other_currency": frozenset({"wrong_currency"}),
    "paid_late": frozenset({"after_expiry"}),
    "live_payment": frozenset({"other_mode"}),
    "authorisation_only": frozenset({"authorised_only"}),
    "refund": frozenset({"refunded"}),
    "unknown_checkout": frozenset({"notice_of_a_stranger"}),
}


@dataclass(frozen=True)
class Paid:
    """What there is of payments at the end.

    ``products`` and ``theirs`` are the payment supplier's links and payments. ``checkouts``, ``ours`` (payments) and
    ``cases`` are our rows. ``unaccounted`` and ``unpaid`` are what the gateway's own two questions answer.
    """

    products: Sequence[Row] = ()
    theirs: Sequence[Row] = ()
    checkouts: Sequence[Row] = ()
    ours: Sequence[Row] = ()
    cases: Sequence[Row] = ()
    unaccounted: Sequence[str] = ()
    unpaid: Sequence[str] = ()


@dataclass
class Found:
    """``delivered`` payments became a fulfilled order, ``waiting`` ones stand before a person, by name."""

    faults: list[str] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    delivered: int = 0


@dataclass(frozen=True)
class _Books:
    paid: Paid
    checkouts: Mapping[str, Row]
    rows: Mapping[str, Row]
    """Our payments by the supplier's id."""
    theirs: Mapping[str, Row]
    orders: Mapping[str, Sequence[Row]]
    """Orders by their checkout."""
    products: Mapping[str, str | None]
    """The checkout of each link."""

    def open_cases(self, checkout_id: str | None, payment_id: str | None = None) -> list[Row]:
        """What waits about a payment of ours; without one, about the checkout itself."""
        return [
            case
            for case in self.paid.cases
            if case["closed_at"] is None
            and case["payment_id"] == payment_id
            and (payment_id is not None or case["checkout_id"] == checkout_id)
        ]


def audit_payments(paid: Paid, orders: Sequence[Row]) -> Found:
    """Hold everything about payments against everything. ``orders`` are all of them."""
    of_checkouts: dict[str, list[Row]] = defaultdict(list)
    for order in orders:
        if order["checkout_id"] is not None:
            of_checkouts[order["checkout_id"]].append(order)
    books = _Books(
        paid,
        {row["id"]: row for row in paid.checkouts},
        {row["payment_id"]: row for row in paid.ours},
        {row["uid"]: row for row in paid.theirs},
        of_checkouts,
        {row["id"]: _checkout_in(row["description"]) for row in paid.products},
    )
    found = Found()
    _links(books, found)
    _orders(books, found)
    for payment in paid.theirs:
        if payment["status"] == "successful":
            (_captured if payment["captured"] else _moved)(books, payment, found)
    _asked(books, found)
    found.faults += [f"payment {name} is unaccounted for by the gateway's own books" for name in paid.unaccounted]
    found.faults += [f"order {name} was not paid by the gateway's own books" for name in paid.unpaid]
    return found


def _links(books: _Books, found: Found) -> None:
    made: dict[str, list[str]] = defaultdict(list)
    for product, checkout_id in books.products.items():
        if checkout_id not in books.checkouts:
            found.faults.append(f"link {product} belongs to no checkout")
        else:
            made[checkout_id].append(product)
    for checkout_id, links in made.items():
        if len(links) > 1:
            found.faults.append(f"checkout {checkout_id} has {len(links)} links")
    for row in books.checkouts.values():
        if row["status"] not in AT_REST:
            found.faults.append(f"checkout {row['id']} is still {row['status']}")
        if row["link_id"] is not None and books.products.get(row["link_id"]) != row["id"]:
            found.faults.append(f"checkout {row['id']} has another's link {row['link_id']}")


def _orders(books: _Books, found: Found) -> None:
    """Each order of a checkout is its only one, and was paid for."""
    accepted: dict[str, list[Row]] = defaultdict(list)
    for row in books.rows.values():
        if row["accepted"]:
            accepted[row["checkout_id"]].append(row)
    found.doubles += [
        f"{len(rows)} payments were accepted for checkout {checkout_id}"
        for checkout_id, rows in accepted.items()
        if len(rows) > 1
    ]
    for checkout_id, orders in books.orders.items():
        names = ", ".join(order["id"] for order in orders)
        if len(orders) > 1:
            found.doubles.append(f"checkout {checkout_id} placed {len(orders)} orders: {names}")
        checkout = books.checkouts[checkout_id]
        paid = [books.theirs.get(row["payment_id"]) for row in accepted[checkout_id]]
        if not any(payment is not None and _pays(payment, checkout, books) for payment in paid):
            found.faults.append(f"order {names} was placed by checkout {checkout_id}, which nobody paid")


def _pays(payment: Row, checkout: Row, books: _Books) -> bool:
    return bool(
        payment["captured"]
        and Decimal(payment["paid"]["amount"]) == checkout["price"]
        and payment["paid"]["currency"] == checkout["currency"]
        and payment["test"] == (checkout["mode"] == "test")
        and books.products.get(payment["product_id"]) == checkout["id"]
    )


def _captured(books: _Books, payment: Row, found: Found) -> None:
    """A customer's money: one fulfilled order, a cancelled one and the money given back, or an operator."""
    checkout_id = books.products.get(payment["product_id"])
    row = books.rows.get(payment["uid"])
    what = f"payment {payment['uid']} of {payment['paid']['amount']} {payment['paid']['currency']} for {checkout_id}"
    if row is None and payment["told"]:
        found.faults.append(f"{what} was told and is lost")
        return
    if row is None or row["state"] != "captured":
        _waits(books.open_cases(checkout_id), f"{what}, which nobody told", found)
        return
    theirs = (Decimal(payment["paid"]["amount"]), payment["paid"]["currency"])
    if theirs != (row["amount"], row["currency"]):
        found.faults.append(f"{what} stands with us as {row['amount']} {row['currency']}")
    if row["checkout_id"] not in {None, checkout_id}:
        found.faults.append(f"{what} stands with us as {row['checkout_id']}'s")
    if not row["accepted"]:
        _waits(books.open_cases(None, row["id"]), what, found)
        return
    fulfilled = [one for one in books.orders.get(row["checkout_id"], ()) if one["status"] == "fulfilled"]
    if len(fulfilled) == 1:
        found.delivered += 1
    elif not fulfilled and not _given_back(books, row["checkout_id"]):
        cases = [*books.open_cases(row["checkout_id"]), *books.open_cases(None, row["id"])]
        _waits(cases, f"{what}, which was not delivered", found)


def _moved(books: _Books, payment: Row, found: Found) -> None:
    """Money that was given back, or only held: somebody is to know of it, once it was told."""
    row = books.rows.get(payment["uid"])
    what = f"{payment['type']} {payment['uid']} for {books.products.get(payment['product_id'])}"
    if row is not None and payment["type"] == "refund" and _given_back(books, row["checkout_id"]):
        return
    if row is not None:
        _waits(books.open_cases(None, row["id"]), what, found)
    elif payment["told"]:
        found.faults.append(f"{what} was told and is lost")
    elif payment["type"] != "refund":
        _waits(books.open_cases(books.products.get(payment["product_id"])), f"{what}, which nobody told", found)


def _given_back(books: _Books, checkout_id: str) -> bool:
    """Whether the whole price went back and ended the order before it was bought: then nobody has to look at it."""
    refunds = [
        Decimal(one["paid"]["amount"])
        for one in books.theirs.values()
        if one["type"] == "refund" and one["uid"] in books.rows and books.products.get(one["product_id"]) == checkout_id
    ]
    ended = [order["status"] for order in books.orders.get(checkout_id, ())] == ["cancelled"]
    return ended and sum(refunds) >= books.checkouts[checkout_id]["price"]


def _waits(cases: Sequence[Row], what: str, found: Found) -> None:
    if cases:
        found.waiting.append(f"{what}: {', '.join(sorted({case['reason'] for case in cases}))}")
    else:
        found.faults.append(f"{what}: it has no fulfilled order, and waits for nobody")


def _asked(books: _Books, found: Found) -> None:
    """A person is asked only for what happened."""
    by_id = {row["id"]: row["payment_id"] for row in books.rows.values()}
    for case in books.paid.cases:
        grounds = _GROUNDS.get(case["reason"])
        if grounds is None or case["closed_at"] is not None:
            continue
        payment = books.theirs.get(by_id.get(case["payment_id"], ""))
        late = payment is not None and case["reason"] == "paid_late" and _is_late(payment, books)
        if payment is None or (grounds.isdisjoint(payment["triggers"]) and not late):
            found.faults.append(f"case {case['id']} asks a person for {case['reason']}, and no such thing happened")


def _is_late(payment: Row, books: _Books) -> bool:
    """A bank that took its time beyond the link's end."""
    checkout = books.checkouts.get(books.products.get(payment["product_id"]) or "")
    return checkout is not None and datetime.fromisoformat(payment["paid_at"]) > checkout["expires_at"]


def _checkout_in(description: str) -> str | None:
    match = _CHECKOUT.search(description)
    return match[1] if match else None
