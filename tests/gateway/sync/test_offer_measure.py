"""What the price guard reads of an offer is what its amount counts as elsewhere."""

import struct

import msgspec
import pytest

from schemas.plan import DataAllowance, FullSpeed, Period, Reset

ASSUMED = 1000
AMOUNTS = (
    *(DataAllowance(3000, "3 GB", reset=reset) for reset in Reset),
    *(DataAllowance(None, "", unlimited=True, allowance=FullSpeed(mb, per)) for mb in (None, 2000) for per in Period),
)


@pytest.mark.parametrize("days", [1, 30, 45, 365])
async def test_an_amount_is_measured_as_it_counts_against_a_need(pool, days):
    for data in AMOUNTS:
        sent = await pool.fetchval("SELECT offer_measure('plan', '{JP}', $1, $2)", msgspec.to_builtins(data), days)
        *_, mb, measured_days = struct.unpack(">qqdi", sent)
        assert (mb, measured_days) == (data.counted_mb(days, ASSUMED), days)


async def test_an_unlimited_plan_that_states_nothing_has_no_measured_amount(pool):
    data = msgspec.to_builtins(DataAllowance(None, "Unlimited", unlimited=True))
    *_, mb, _ = struct.unpack(">qqdi", await pool.fetchval("SELECT offer_measure('plan', '{JP}', $1, 7)", data))
    assert mb != mb  # noqa: PLR0124 - NaN is what is not equal to itself
