"""Hands that order what is no eSIM: virtual numbers, vouchers and recharges."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import asyncpg

from tests.chaos.storefront import AFTER_A_REFUSAL, Hands

# Of plenty, at a price of its own. The sandbox's own card has troubles of its own beside those of the storm.
_GOODS = """
SELECT good_id, coalesce(max_per_order, 1) AS most,
       texts::text LIKE '%Sandbox card%' AS troubled, fields::text LIKE '%"phone"%' AS asks
FROM goods WHERE gone_at IS NULL AND suspect IS NULL AND cost BETWEEN 1 AND 12 AND coalesce(stock, 1000) > 60
ORDER BY good_id
"""
_NUMBERS = """
SELECT c.code, t.tier_id FROM number_countries c JOIN number_tiers t ON t.supplier = c.supplier
WHERE t.suspect IS NULL ORDER BY c.code, t.tier_id
"""
_TRIES = 6
_WAIT = {"Prefer": "wait=4"}


@dataclass(frozen=True)
class OtherGoods:
    """What there is: bodies of orders for numbers; goods with how many may be ordered at once."""

    numbers: list[dict[str, str]]
    plain: list[tuple[str, int]]
    troubled: list[tuple[str, int]]
    asking: list[tuple[str, int]]


@dataclass
class NumberHands(Hands):
    """Order virtual numbers: few kinds, so that the same one is wanted by several at once."""

    goods: OtherGoods

    async def one(self) -> None:
        """One number; what is not to be had now is tried again as another."""
        front = self.storefront
        for _ in range(_TRIES):
            body = {"number": front.chance.choice(self.goods.numbers), "reference": front.reference()}
            made = (await front.insist("/v1/orders", body)).made
            if made is not None:
                await front.get(f"/v1/orders/{made}", _WAIT)
                return
            await asyncio.sleep(AFTER_A_REFUSAL)


@dataclass
class VoucherHands(Hands):
    """Order vouchers, one or several at once, and recharges."""

    goods: OtherGoods

    async def one(self) -> None:
        """One order."""
        front, goods = self.storefront, self.goods
        for _ in range(_TRIES):
            shelf = front.chance.choices([goods.plain, goods.troubled, goods.asking], [0.7, 0.2, 0.1])[0]
            good_id, most = front.chance.choice(shelf)
            body: dict[str, Any] = {"good_id": good_id, "quantity": front.chance.randint(1, min(3, most))}
            if shelf is goods.asking:
                body["fields"] = {"phone": front.phone(), "operator": "Jio"}
            if (made := (await front.insist("/v1/orders", body)).made) is not None:
                await front.get(f"/v1/orders/{made}", _WAIT)
                return
            await asyncio.sleep(AFTER_A_REFUSAL)


async def other_goods_of(connection: asyncpg.Connection[asyncpg.Record]) -> OtherGoods:
    """What can be ordered beside eSIMs."""
    rows = await connection.fetch(_GOODS)
    numbers = [{"country": row["code"], "tier_id": row["tier_id"]} for row in await connection.fetch(_NUMBERS)]
    asking = [row for row in rows if row["asks"]]
    made = OtherGoods(
        numbers=numbers,
        plain=[(row["good_id"], row["most"]) for row in rows if not row["asks"] and not row["troubled"]],
        troubled=[(row["good_id"], row["most"]) for row in rows if row["troubled"]],
        asking=[(row["good_id"], row["most"]) for row in asking],
    )
    assert all((made.numbers, made.plain, made.troubled, made.asking)), made
    return made
