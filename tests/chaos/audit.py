"""Is everything where it belongs? The suppliers' own truth beside our rows; pure.

What comes out is a list of faults, empty when all is well, and the charges that wait for a person, by name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

AT_REST = frozenset({"fulfilled", "failed", "needs_review", "cancelled"})
OPEN = frozenset({"sending", "unknown", "accepted", "charged_undeliverable"})
LEAST_FULFILLED = 0.95
_ATTEMPT = re.compile(r"att_[0-9a-f]{24}")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Seen:
    """What there is at the end: each supplier's charges, and our rows. ``esims`` carry their ICCIDs in clear.

    ``promised`` are the orders that storefronts were told of, by Idempotency-Key.
    """

    charges: Mapping[str, Sequence[Row]]
    orders: Sequence[Row]
    attempts: Sequence[Row]
    ledger: Sequence[Row]
    esims: Sequence[Row]
    keys: Mapping[str, str]
    promised: Mapping[str, str]


@dataclass
class Report:
    """``faults`` must be empty. ``named`` are the differences that belong to one open attempt each."""

    faults: list[str] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    doubles: list[str] = field(default_factory=list)
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
    charged = _by_attempt(seen, attempts, report)
    _doubles(charged, attempts, report)
    _promises(seen, orders, report)
    _rest(seen.orders, report)
    _money(seen, charged, attempts, orders, report)
    _deliveries(seen, charged, attempts, orders, report)
    _reviews(charged, attempts, orders, report)
    _share(charged, attempts, orders, report)
    report.faults[:0] = report.doubles
    return report


def _by_attempt(seen: Seen, attempts: Mapping[str, Row], report: Report) -> dict[str, list[Row]]:
    """Each charge with the attempt that it says it is for."""
    found: dict[str, list[Row]] = defaultdict(list)
    for supplier, charges in seen.charges.items():
        for charge in charges:
            told = charge["reference"] or charge["details"].get("email") or ""
            match = _ATTEMPT.search(told.lower())
            attempt = attempts.get(match[0]) if match else None
            if attempt is None or attempt["supplier"] != supplier:
                report.faults.append(f"{supplier}'s order {charge['order_id']} belongs to no attempt")
                continue
            found[attempt["id"]].append(charge)
    return found


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
    for key, order_id in seen.promised.items():
        if order_id not in orders:
            report.faults.append(f"order {order_id} was promised and is lost")
        elif seen.keys.get(key) != order_id:
            report.faults.append(f"key {key} was answered with {order_id} and has {seen.keys.get(key)}")
    for order_id in orders.keys() - set(seen.keys.values()):
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
            if charge["knowable"] and not (cancels and charge["state"] != "cancelled"):
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
