"""Offers that were stored with 1 GB = 1024 MB and a fair use are read after the upgrade as what they were."""

from __future__ import annotations

import msgspec

from gateway.migrations import upgrade
from schemas.plan import AfterFullSpeed, DataAllowance, FullSpeed, Period, Reset

BEFORE, AFTER = "0025", "0030"


def stored(mb: int | None, declared: str, reset: str = "never", fair_use: dict | None = None) -> dict:
    return {
        "mb": mb, "declared": declared, "unlimited": mb is None, "reset": reset, "fair_use": fair_use, "bytes": None,
        "basis": "text",
    }  # fmt: skip


def fair(after: str | None, mb: int | None, *, per_day: bool) -> dict:
    return {"after": after, "allowance_mb": mb, "per_day": per_day}


THROTTLED, CUT_OFF = AfterFullSpeed(cut_off=False), AfterFullSpeed(cut_off=True)


OFFERS = [
    (stored(1024, "1 GB"), DataAllowance(1000, "1 GB")),
    (stored(512, "0.5 GB"), DataAllowance(500, "0.5 GB")),
    (stored(500, "500 MB"), DataAllowance(500, "500 MB")),
    (stored(1126, "1.1 GB"), DataAllowance(1100, "1.1 GB")),
    (
        stored(2048, "2 GB/day", "daily", fair("cut_off", None, per_day=False)),
        DataAllowance(2000, "2 GB/day", reset=Reset.DAILY, after=CUT_OFF),
    ),
    (stored(None, "Unlimited"), DataAllowance(None, "Unlimited", unlimited=True)),
    (
        stored(None, "Unlimited", fair_use=fair("throttled", 2048, per_day=True)),
        DataAllowance(None, "Unlimited", unlimited=True, allowance=FullSpeed(2000, Period.DAY), after=THROTTLED),
    ),
    (
        stored(None, "Unlimited", fair_use=fair(None, 51200, per_day=False)),
        DataAllowance(None, "Unlimited", unlimited=True, allowance=FullSpeed(50_000)),
    ),
]


async def test_stored_amounts_are_nominal_after_the_upgrade(empty):
    dsn, connection = empty
    await upgrade(dsn, BEFORE)
    await connection.executemany(
        "INSERT INTO offers (id, supplier, supplier_plan_id, plan_id, name, coverage, data, days, starts, digest,"
        " first_seen_at, changed_at) VALUES ($1, 'a', $1, 'p', 'n', '{JP}', $2, 7, 'install', $3, now(), now())",
        [(f"off_{at}", before, bytes(24)) for at, (before, _) in enumerate(OFFERS)],
    )
    await upgrade(dsn, AFTER)
    rows = await connection.fetch("SELECT data::text FROM offers ORDER BY id")
    assert [msgspec.json.decode(row["data"], type=DataAllowance) for row in rows] == [after for _, after in OFFERS]
