"""An eSIM that was sold before the test begins: the storefront, its order and the eSIM, as rows."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from gateway.api.examples import example_of
from gateway.inventory import esim_rows
from gateway.kit.pool import Pool
from gateway.kit.sealing import Seal
from schemas.api import Plan
from tests.kit.secret_keys import SECRET_KEY

CODE = "LPA:1$smdp.example.com$K2-1QW34-ABCDE"
ICCID = "8944500102198765432"
SEAL = Seal([SECRET_KEY])
PLAN = example_of(Plan)
_numbers = itertools.count(1)


async def storefront(pool: Pool, name: str = "shop") -> str:
    made = await pool.fetchval(
        "INSERT INTO storefronts (id, name) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET name = excluded.name"
        " RETURNING id",
        f"sf_{name}",
        name,
    )
    return str(made)


async def sold(
    pool: Pool,
    *,
    owner: str = "shop",
    mode: Any = "test",
    supplier: str = "s2s",
    supplier_plan_id: str = "JP_7D_1GB",
    iccid: str = ICCID,
    code: str | None = CODE,
    seal: Seal = SEAL,
    at: datetime | None = None,
    plan: dict[str, Any] = PLAN,
    status: str = "fulfilled",
) -> esim_rows.Esim:
    """The eSIM of a fulfilled order of its own."""
    at = at or datetime.now(UTC)
    shop = await storefront(pool, owner)
    order_id = f"ord_{next(_numbers):016x}"
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            """INSERT INTO orders (id, storefront_id, mode, kind, status, plan_id, plan, price, currency, price_base,
                                   max_cost, base_currency, created_at, fulfilled_at)
               VALUES ($1, $2, $3, 'esim', $4, $5, $6, 5.50, 'USD', 5.50, 5.50, 'USD', $7, $7)""",
            order_id,
            shop,
            mode,
            status,
            plan["id"],
            plan,
            at,
        )
        # Without the digest of its code, as rows from before there was one: many tests sell the same code again.
        esim_id = await connection.fetchval(
            """INSERT INTO esims (id, order_id, storefront_id, mode, supplier, supplier_plan_id, iccid, iccid_digest,
                                  activation_code, next_poll_at, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id""",
            f"esim_{next(_numbers):024x}",
            order_id,
            shop,
            mode,
            supplier,
            supplier_plan_id,
            seal.seal(iccid),
            seal.digest(iccid),
            None if code is None else seal.seal(code),
            at + esim_rows.FIRST_POLL,
            at,
        )
    found = await esim_rows.get(pool, seal, esim_id)
    assert found is not None
    return found
