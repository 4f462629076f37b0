"""A market price list through BepPay and PikaSim: only a place's words, an amount, days and a price are known."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from providers import beppay, pikasim
from providers.contract import Manifest
from providers.simulator import SandboxWorld
from tests.providers.shop import Walk, open_shop

HEAD = "date,competitor,country,data,days,price_usd,source_url\n"
ROWS = """\
2026-01-01,Acme,Japan,1 GB,7,4.50,https://acme.example/jp
2026-01-01,Acme,Japan,1 GB,7,4.75,https://acme.example/jp
2026-01-01,Acme,Czech Republic,Unlimited,15,30,https://acme.example/cz
2026-01-01,Acme,Turkey,0.5 GB,30,2.5,https://acme.example/tr
2026-01-01,Acme,Hong Kong,3 GB,,6.00,https://acme.example/hk
2026-01-01,Acme,Atlantis,3 GB,7,6.00,https://acme.example/at
2026-01-01,Acme,Hawaii,3 GB,7,6.00,https://acme.example/hw
2026-01-01,Acme,Europe,3 GB,7,6.00,https://acme.example/eu
"""


@pytest.fixture
def market(tmp_path: Path) -> Path:
    file = tmp_path / "market.csv"
    file.write_text(HEAD + ROWS, "utf-8")
    return file


async def walked(manifest: Manifest, market: Path) -> Walk:
    async with open_shop(manifest, SandboxWorld([manifest.name], market=market)) as shop:
        return await shop.walk()


@pytest.mark.parametrize("manifest", [beppay.MANIFEST, pikasim.MANIFEST], ids=lambda m: m.name)
async def test_every_row_is_an_offer_of_its_country_or_set_aside_with_its_reason(
    manifest: Manifest, market: Path
) -> None:
    walk = await walked(manifest, market)
    offered = sorted(
        (*offer.coverage, offer.data.declared, offer.validity.days, str(offer.cost)) for offer in walk.offers
    )
    assert offered == [
        ("CZ", "Unlimited", 15, "30.00 USD"),
        ("JP", "1 GB", 7, "4.50 USD"),
        ("JP", "1 GB", 7, "4.75 USD"),
        ("TR", "0.5 GB", 30, "2.50 USD"),
    ]
    reasons = Counter(row.reason.value for row in walk.set_aside)
    assert reasons == {"no_validity": 1, "no_such_country": 2, "coverage_unknown": 1}
