"""Which attempt a supplier's charge belongs to; pure.

Almost every charge carries a word of ours. One for a virtual number carries none: it belongs to the attempt that has
the supplier's order, or that delivered its telephone number, or else to the last one that asked for such a number
before it was sold, since only one at a time asks for a country and tier.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from providers.beppay.numbers import ORDER_PREFIX

Row = Mapping[str, Any]
_ATTEMPT = re.compile(r"att_[0-9a-f]{24}")
# From the last moment in which a call may begin: as long as a call takes, and a slow charge after it.
_CALL_TAKES = timedelta(seconds=10)


def by_attempt(
    charges: Mapping[str, Sequence[Row]], attempts: Mapping[str, Row], goods: Sequence[Row]
) -> tuple[dict[str, list[Row]], list[str]]:
    """Each charge under the attempt that it is for, and what is wrong with that.

    ``goods`` are numbers and codes as they were delivered, each with its order.
    """
    found: dict[str, list[Row]] = defaultdict(list)
    faults: list[str] = []
    held = _held(attempts, goods)
    for supplier, theirs in charges.items():
        for charge in theirs:
            number = charge["kind"] == "number"
            attempt = _of_number(supplier, charge, attempts, held) if number else _named(supplier, charge, attempts)
            if attempt is None:
                faults.append(f"{supplier}'s order {charge['order_id']} belongs to no attempt")
                continue
            found[attempt["id"]].append(charge)
            if number and (why := _not_its_own(charge, attempt)):
                faults.append(f"{supplier}'s number order {charge['order_id']} is {attempt['id']}'s, {why}")
    return found, faults


def digits(text: str) -> str:
    """A telephone number as it is the same however it is written."""
    return "".join(letter for letter in text if letter.isdigit())


def _named(supplier: str, charge: Row, attempts: Mapping[str, Row]) -> Row | None:
    told = charge["reference"] or charge["details"].get("email") or ""
    match = _ATTEMPT.search(told.lower())
    attempt = attempts.get(match[0]) if match else None
    return attempt if attempt is not None and attempt["supplier"] == supplier else None


def _of_number(
    supplier: str, charge: Row, attempts: Mapping[str, Row], held: Mapping[tuple[str, str], Row]
) -> Row | None:
    asked = [one for one in attempts.values() if one["supplier"] == supplier and (one["item"] or {}).get("country")]
    known = [one for one in asked if one["supplier_order_id"] == ORDER_PREFIX + charge["order_id"]]
    if known:
        return known[0]
    for given in charge["given"]:
        if (attempt := held.get((supplier, digits(given)))) is not None:
            return attempt
    before = [one for one in asked if _is_for(charge, one) and one["signed_at"] <= charge["at"]]
    return max(before, key=lambda one: one["signed_at"], default=None)


def _held(attempts: Mapping[str, Row], goods: Sequence[Row]) -> dict[tuple[str, str], Row]:
    """The attempts that delivered a number, by supplier and number."""
    bought = {one["order_id"]: one for one in attempts.values() if one["state"] == "succeeded"}
    return {
        (one["supplier"], one["secret"]): bought[one["order_id"]]
        for one in goods
        if one["kind"] == "number" and one["order_id"] in bought
    }


def _is_for(charge: Row, attempt: Row) -> bool:
    item = attempt["item"]
    return bool((item["country"], item["tier_id"]) == (charge["details"]["country"], charge["details"]["tier"]))


def _not_its_own(charge: Row, attempt: Row) -> str | None:
    if not _is_for(charge, attempt):
        return "who asked for another country or tier"
    if not attempt["signed_at"] <= charge["at"] <= attempt["deadline"] + _CALL_TAKES:
        return "who did not ask when it was sold"
    return None
