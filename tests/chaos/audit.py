"""Is everything where it belongs? The suppliers' own truth beside our rows; pure.

What comes out is a list of faults, empty when all is well, and the charges that wait for a person, by name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.chaos.audit_payments import Paid, audit_payments
from tests.chaos.belonging import by_attempt, digits

AT_REST = frozenset({"fulfilled", "failed", "needs_review", "cancelled"})
OPEN = frozenset({"sending", "unknown", "accepted", "charged_undeliverable"})
LEAST_FULFILLED = 0.95
_WORDS = {"number": "number", "voucher": "code"}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Seen:
    """What there is at the end: each supplier's charges, and our rows. ``esims`` carry their ICCIDs in clear.

    ``goods`` are numbers and codes that were delivered: ``secret`` is the number's digits, the PIN, or None for what
    has no code. ``promised`` are the orders and checkouts that storefronts were told of, by Idempotency-Key.
    """

    charges: Mapping[str, Sequence[Row]]
    orders: Sequence[Row]
    attempts: Sequence[Row]
    ledger: Sequence[Row]
    esims: Sequence[Row]
    keys: Mapping[str, str]
    promised: Mapping[str, str]
    goods: Sequence[Row] = ()
    paid: Paid = field(default_factory=Paid)


@dataclass
class Report:
    """``faults`` must be empty. ``named`` are the differences that belong to one open attempt each.

    ``waiting`` are payments that stand before a person, ``paid_for`` those that became a fulfilled order.
    """

    faults: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    paid_for: int = 0
    knowable: int = 0
    fulfilled: int = 0

    @property
    def share(self) -> float:
        """Of the S2S and PikaSim charges that can be found out, how many were fulfilled without a person."""
        return self.fulfilled / self.knowable if self.knowable else 1.0


def audit(seen: Seen) -> Report:
    """Hold everything against everything."""
    report = Report()
    attempts = {row["id"]: row for row in seen.attempts}
    orders = {row["id"]: row for row in seen.orders}
    charged, report.faults = by_attempt(seen.charges, attempts, seen.goods)
    _doubles(charged, attempts, report)
    _promises(seen, orders, report)
    _rest(seen.orders, report)
    _money(seen, charged, attempts, orders, report)
    _deliveries(seen, charged, attempts, orders, report)
    _goods(seen, charged, attempts, orders, report)
    _reviews(charged, attempts, orders, report)
    _share(charged, attempts, orders, report)
    _payments(seen, report)
    report.faults[:0] = report.doubles
    return report


def _doubles(charged: Mapping[str, Sequence[Row]], attempts: Mapping[str, Row], report: Report) -> None:
    by_order: dict[str, list[str]] = defaultdict(list)
    for attempt_id, charges in charged.items():
        if len(charges) > 1:
            report.doubles.append(f"attempt {attempt_id} was charged {len(charges)} times")
        for charge in charges:
            if _left(charge) > 0 or charge["delivered"]:
                by_order[attempts[attempt_id]["order_id"]].append(attempt_id)
    report.doubles += [
        f"order {order_id} was bought {len(them)} times: {', '.join(them)}"
        for order_id, them in sorted(by_order.items())
        if len(them) > 1
    ]


def _promises(seen: Seen, orders: Mapping[str, Row], report: Report) -> None:
    made = orders.keys() | {row["id"] for row in seen.paid.checkouts}
    for key, name in seen.promised.items():
        if name not in made:
            report.faults.append(f"{'checkout' if name.startswith('co_') else 'order'} {name} was promised and is lost")
        elif seen.keys.get(key) != name:
            report.faults.append(f"key {key} was answered with {name} and has {seen.keys.get(key)}")
    by_checkout = {row["id"] for row in orders.values() if row["checkout_id"] is not None}
    for order_id in orders.keys() - set(seen.keys.values()) - by_checkout:
        report.faults.append(f"order {order_id} has no key")


def _rest(orders: Iterable[Row], report: Report) -> None:
    report.faults += [f"order {row['id']} is still {row['status']}" for row in orders if row["status"] not in AT_REST]


def _money(
    seen: Seen,
    charged: Mapping[str, Sequence[Row]],
    attempts: Mapping[str, Row],
    orders: Mapping[str, Row],
    report: Report,
) -> None:
    """What the suppliers took less what they gave back is our ledger, but for attempts that are still open."""
    ours: dict[str, Decimal] = defaultdict(Decimal)
    for row in seen.ledger:
        ours[_purchase_of(row["attempt_id"], attempts)] += row["amount"] if row["kind"] == "charge" else -row["amount"]
    for attempt_id in {*ours, *charged}:
        attempt = attempts[attempt_id]
        theirs = sum((_left(charge) for charge in charged.get(attempt_id, ())), Decimal(0))
        if theirs == ours.get(attempt_id, 0):
            continue
        order = orders[attempt["order_id"]]
        line = (
            f"{attempt['supplier']}: attempt {attempt_id} ({attempt['state']}) of order {order['id']}"
            f" ({order['status']}): they took {theirs}, our ledger has {ours.get(attempt_id, Decimal(0))}"
        )
        waiting = order["status"] == "needs_review" and _is_open(attempt, attempts)
        (report.named if waiting else report.faults).append(line)


def _deliveries(
    seen: Seen,
    charged: Mapping[str, Sequence[Row]],
    attempts: Mapping[str, Row],
    orders: Mapping[str, Row],
    report: Report,
) -> None:
    """No eSIM twice, none without its charge, none that is another's."""
    delivered: set[tuple[str, str]] = set()
    succeeded = {
        row["order_id"]: row for row in attempts.values() if row["kind"] != "cancel" and row["state"] == "succeeded"
    }
    for esim in seen.esims:
        which = (esim["supplier"], esim["iccid"])
        if which in delivered:
            report.faults.append(f"the eSIM of order {esim['order_id']} was delivered to another order too")
        delivered.add(which)
        attempt = succeeded.get(esim["order_id"])
        charges = charged.get(attempt["id"], ()) if attempt is not None else ()
        if not any(charge["iccid"] == esim["iccid"] and charge["delivered"] for charge in charges):
            report.faults.append(f"order {esim['order_id']} has an eSIM that was not charged for it")
    with_esim = {row["order_id"] for row in seen.esims}
    for order in orders.values():
        if order["status"] != "fulfilled":
            continue
        attempt = succeeded.get(order["id"])
        if attempt is None or not charged.get(attempt["id"]):
            report.faults.append(f"order {order['id']} is fulfilled without a charge")
        if order["kind"] == "esim" and order["id"] not in with_esim:
            report.faults.append(f"order {order['id']} is fulfilled and has no eSIM")


def _goods(
    seen: Seen,
    charged: Mapping[str, Sequence[Row]],
    attempts: Mapping[str, Row],
    orders: Mapping[str, Row],
    report: Report,
) -> None:
    """No number and no PIN twice, none without its charge, and as many as were bought."""
    delivered: dict[tuple[str, str], str] = {}
    succeeded = {row["order_id"]: row["id"] for row in attempts.values() if row["state"] == "succeeded"}
    counts: dict[str, int] = defaultdict(int)
    for one in seen.goods:
        counts[one["order_id"]] += 1
        if one["secret"] is None:
            continue
        word, which = _WORDS[one["kind"]], (one["supplier"], one["secret"])
        if which in delivered:
            report.faults.append(f"a {word} of order {one['order_id']} was delivered to {delivered[which]} too")
        delivered[which] = one["order_id"]
        charges = charged.get(succeeded.get(one["order_id"], ""), ())
        if not any(charge["delivered"] and _gave(charge, one) for charge in charges):
            report.faults.append(f"order {one['order_id']} has a {word} that was not charged for it")
    for order in orders.values():
        if order["kind"] in _WORDS and order["status"] == "fulfilled" and counts[order["id"]] != order["units"]:
            has = f"has {counts[order['id']]} of {order['units']} {_WORDS[order['kind']]}s"
            report.faults.append(f"order {order['id']} is fulfilled and {has}")


def _gave(charge: Row, one: Row) -> bool:
    given = map(digits, charge["given"]) if one["kind"] == "number" else charge["given"]
    return one["secret"] in given


def _reviews(
    charged: Mapping[str, Sequence[Row]], attempts: Mapping[str, Row], orders: Mapping[str, Row], report: Report
) -> None:
    """A person is asked only for what cannot be known: no charge that the supplier shows, with its right end."""
    for attempt in attempts.values():
        order = orders[attempt["order_id"]]
        if order["status"] != "needs_review" or attempt["kind"] == "cancel" or attempt["state"] == "failed":
            continue
        cancels = [one for one in attempts.values() if one["order_id"] == order["id"] and one["kind"] == "cancel"]
        for charge in charged.get(attempt["id"], ()):
            if _can_be_known(charge, attempt) and not (cancels and charge["state"] != "cancelled"):
                report.faults.append(
                    f"order {order['id']} waits for a person, and {attempt['supplier']} shows its attempt"
                    f" {attempt['id']} ({attempt['state']}: {attempt['error_code']}) {charge['state']},"
                    f" after {', '.join(charge['triggers']) or 'no trouble there'}"
                )


def _share(
    charged: Mapping[str, Sequence[Row]], attempts: Mapping[str, Row], orders: Mapping[str, Row], report: Report
) -> None:
    for attempt_id, charges in charged.items():
        attempt = attempts[attempt_id]
        for charge in charges:
            if attempt["supplier"] == "beppay" or not (charge["knowable"] and charge["delivered"]):
                continue
            report.knowable += 1
            report.fulfilled += orders[attempt["order_id"]]["status"] in {"fulfilled", "cancelled"}
    if report.share < LEAST_FULFILLED:
        report.faults.append(f"only {report.share:.1%} of what S2S and PikaSim charged and show was fulfilled")


def _payments(seen: Seen, report: Report) -> None:
    found = audit_payments(seen.paid, seen.orders)
    report.faults += found.faults
    report.doubles += found.doubles
    report.waiting = found.waiting
    report.paid_for = found.delivered


def _can_be_known(charge: Row, attempt: Row) -> bool:
    """BepPay's history names neither a failure nor what was given back."""
    return bool(charge["knowable"] and (attempt["supplier"] != "beppay" or charge["delivered"]))


def _left(charge: Row) -> Decimal:
    return Decimal(str(charge["charged"])) - Decimal(str(charge["refunded"]))


def _purchase_of(attempt_id: str, attempts: Mapping[str, Row]) -> str:
    """The purchase that a cancel took back; any other attempt itself."""
    attempt = attempts[attempt_id]
    if attempt["kind"] != "cancel":
        return attempt_id
    for other in attempts.values():
        if other["order_id"] == attempt["order_id"] and other["kind"] != "cancel" and other["state"] == "succeeded":
            return str(other["id"])
    return attempt_id


def _is_open(attempt: Row, attempts: Mapping[str, Row]) -> bool:
    return attempt["state"] in OPEN or any(
        one["order_id"] == attempt["order_id"] and one["kind"] == "cancel" and one["state"] in OPEN
        for one in attempts.values()
    )
