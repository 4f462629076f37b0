"""A made-up catalogue of any size, written as the snapshot that a serving process maps."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gateway.core.catalog import layout
from gateway.core.catalog.build import SnapshotBuilder, Terms
from gateway.core.catalog.geography import of_this_world
from gateway.core.pricing import PriceRule, Rates
from providers import places
from schemas.plan import DataAllowance, Features, Network, Reset, plan_id

SUPPLIERS = tuple(f"supplier{number:02}" for number in range(20))
_MB = (500, 1024, 2048, 3072, 5120, 10240, 20480, 51200)
_DAYS = (1, 3, 5, 7, 10, 15, 30, 60, 90, 180)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def write_snapshot(path: Path, count: int, seed: int = 1) -> None:
    """Write a snapshot of ``count`` offers: 20 suppliers, all countries, some hundred regions."""
    dice = random.Random(seed)
    geography = of_this_world()
    builder = SnapshotBuilder("test", Terms(PriceRule(), Rates("USD")), geography)
    codes = [a + b for a in _LETTERS for b in _LETTERS if places.is_country(a + b)]
    areas = [tuple(sorted(dice.sample(codes, dice.randint(2, 40)))) for _ in range(max(50, count // 5000))]
    areas += [region.countries for region in geography.regions]
    popular = ["JP", "US", "FR", "DE", "TR", "TH", "KR", "GB", "IT", "ES"] * 8 + codes
    datas = [(mb, DataAllowance(mb, _text(mb), reset=reset)) for mb in _MB for reset in Reset]
    datas.append((0, DataAllowance(None, "Unlimited", unlimited=True)))
    encoded = {id(data): msgspec.json.encode(data).decode() for _, data in datas}
    features = [
        msgspec.json.encode(Features(topup, voice, sms, exit_country)).decode()
        for topup in (True, False, None) for voice in (True, None) for sms in (True, None)
        for exit_country in ("HK", None)
    ]  # fmt: skip
    networks: dict[tuple[tuple[str, ...], int], str] = {}
    for number in range(count):
        area = dice.choice(areas) if dice.random() < 0.1 else (dice.choice(popular),)
        mb, data = dice.choice(datas)
        days = dice.choice(_DAYS)
        fast = dice.randrange(2)
        network = networks.get((area, fast))
        if network is None:
            made = [Network(code, f"Operator of {code}", "5G" if fast else "4G") for code in area]
            network = networks[area, fast] = msgspec.json.encode(made).decode()
        cost = f"{0.4 + (mb or 40000) / 1024 * 0.6 + days * 0.05 + len(area) * 0.05 + dice.random() * 3:.2f}"
        key = f"P{number}"
        builder.add(
            dice.choice(SUPPLIERS), key, f"off_{number:024x}", f"{area[0]} {data.declared} {days} Days",
            plan_id(area, data, days), area, encoded[id(data)], days, "install", network, dice.choice(features),
            cost, "USD", None if dice.random() < 0.9 else dice.randrange(3), True, dice.random() < 0.01,
        )  # fmt: skip
    meta, arrays = builder.finish({}, {})
    _, parts = layout.encode(meta, f"{datetime.now(UTC).date()}", arrays)
    layout.write(path, parts)


def _text(mb: int) -> str:
    return f"{mb / 1024:g} GB" if mb >= 1024 else f"{mb} MB"
