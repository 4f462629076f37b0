"""Hands that have checkouts paid, and customers who pay them in every way that there is."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from tests.chaos.machine import PAYMENTS
from tests.chaos.storefront import Hands, Storefront

# The link is made, or is not, and the gateway is not told which.
OF_CREATION = (
    "made_then_hang", "made_then_500", "made_then_reset", "made_then_html", "made_then_truncated", "hang", "500",
    "reset", "refuse", "paid_before_answer",
)  # fmt: skip
_AMBIGUOUS_SHARE = 0.4
# How it is paid: the trigger at the payment supplier with its own settings, and how many in a hundred.
WAYS: dict[str, tuple[dict[str, Any] | None, int]] = {
    "paid": (None, 44),
    "too little": ({"kind": "wrong_amount", "factor": "0.5"}, 4),
    "too much": ({"kind": "wrong_amount", "factor": "2"}, 4),
    "in another currency": ({"kind": "wrong_currency"}, 5),
    "twice": ({"kind": "paid_twice"}, 7),
    "after its end": ({"kind": "after_expiry"}, 6),
    "held only": ({"kind": "authorised_only"}, 4),
    "real money for a test": ({"kind": "other_mode"}, 4),
    "and given back": ({"kind": "refunded"}, 5),
    "by two at once": (None, 4),
    "at the second try": (None, 3),
    "by a bank that takes its time": (None, 5),
    "never": (None, 5),
}
# What is told of it.
TOLD: dict[str, tuple[dict[str, Any] | None, int]] = {
    "once": (None, 36),
    "after a forged one": ({"kind": "notice_forged"}, 10),
    "after an altered one": ({"kind": "notice_altered"}, 10),
    "three times": ({"kind": "notice_repeated"}, 14),
    "early": ({"kind": "notice_early"}, 8),
    "late": ({"kind": "notice_late"}, 8),
    "never": ({"kind": "notice_never"}, 8),
    "without the product": ({"kind": "notice_without_product"}, 4),
    "of a stranger": ({"kind": "notice_of_a_stranger"}, 2),
}
_LATE_SECONDS = 2.5
_LINK_SECONDS = 12.0
_FOLLOWED_SECONDS = 3.0


@dataclass
class PayingHands(Hands):
    """Open checkouts and pay them.

    ``plans`` are what is bought; ``repeated`` has every checkout paid in the plain way and its payment notified three
    times; ``done`` counts how they were paid and notified.
    """

    plans: list[str]
    hold: float
    repeated: bool = False
    done: Counter[str] = field(default_factory=Counter)

    async def one(self) -> None:
        """A checkout from its opening to what its customer makes of it."""
        front = self.storefront
        if not self.repeated and front.chance.random() < _AMBIGUOUS_SHARE:
            await self._desk("triggers", {"kind": front.chance.choice(OF_CREATION)})
        body: dict[str, Any] = {"plan_id": front.chance.choice(self.plans), "customer": front.customer()}
        if not self.repeated and front.chance.random() < 0.5:  # a reference alone would keep a second order away
            body["reference"] = front.reference()
        made = (await front.insist("/v1/checkouts", body)).made
        product = None if made is None else await self._product(made)
        if made is not None and product is not None:
            await self._pay(product)
            await _follow(front, made)

    async def _product(self, checkout_id: str) -> str | None:
        """The payment supplier's name for it, out of the link; None where no link came about."""
        end = asyncio.get_running_loop().time() + _LINK_SECONDS
        while asyncio.get_running_loop().time() < end:
            told = await self.storefront.get(f"/v1/checkouts/{checkout_id}")
            if told is not None and told["payment_url"]:
                return urlsplit(told["payment_url"]).path.split("/")[-2]
            if told is not None and told["status"] != "creating":
                return None
            await asyncio.sleep(0.5)
        return None

    async def _pay(self, product: str) -> None:
        chance = self.storefront.chance
        how = chance.choices([*WAYS], [weight for _, weight in WAYS.values()])[0]
        told = chance.choices([*TOLD], [weight for _, weight in TOLD.values()])[0]
        if how == "after its end" and told == "never":
            told = "late"  # what comes when nobody looks any more has to be told by somebody
        if self.repeated:
            how, told = "paid", "three times"
        self.done[f"paid: {how}"] += 1
        self.done[f"told: {told}"] += 1
        for trigger in (WAYS[how][0], TOLD[told][0]):
            if trigger is not None:
                await self._desk("triggers", {"seconds": _LATE_SECONDS, **trigger, "key": product})
        match how:
            case "after its end":
                await asyncio.sleep(self.hold + 1.5)
                await self._visit(product, "pay")
            case "by two at once":
                await asyncio.gather(self._visit(product, "pay"), self._visit(product, "pay"))
            case "at the second try":
                await self._visit(product, "decline")
                await self._visit(product, "pay")
            case "by a bank that takes its time":
                await self._wait_for_the_bank(product)
            case "never":
                await self._visit(product, chance.choice(["leave", "decline"]))
            case _:
                await self._visit(product, "pay")

    async def _wait_for_the_bank(self, product: str) -> None:
        made = await self._visit(product, "wait")
        await asyncio.sleep(self.storefront.chance.uniform(0.2, 1.5))
        if made is not None:
            act = self.storefront.chance.choices(["settle", "fail", "expire"], [0.7, 0.2, 0.1])[0]
            await self._desk(f"payments/{made['payments'][0]['uid']}", {"act": act})

    async def _visit(self, product: str, outcome: str) -> Any:
        customer = {**self.storefront.customer(), "phone": self.storefront.phone()}
        return await self._desk(f"pay/{product}", {"outcome": outcome, "customer": customer})

    async def _desk(self, route: str, body: dict[str, Any]) -> Any:
        """At the payment supplier, in a thread; None where it is too late for that."""
        try:
            return await asyncio.to_thread(self.storefront.machine.tell, PAYMENTS, route, body)
        except HTTPError as error:
            if error.code != 410:
                raise
            return None


async def _follow(front: Storefront, checkout_id: str) -> None:
    """As a storefront does that shows its customer what became of it."""
    end = asyncio.get_running_loop().time() + _FOLLOWED_SECONDS
    while asyncio.get_running_loop().time() < end:
        told = await front.get(f"/v1/checkouts/{checkout_id}")
        if told is not None and told["order_id"] is not None:
            await front.get(f"/v1/orders/{told['order_id']}")
            return
        await asyncio.sleep(0.7)
