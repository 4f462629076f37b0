from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from providers.simulator import SandboxWorld
from schemas.errors import ConfigurationError

HEAD = "date,competitor,country,data,days,price_usd,source_url\n"
ROWS = HEAD + (
    "2026-01-01,Beta,Atlantis City,1 GB,,3.5,https://b.example/1\n"
    "2026-01-01,Alpha,Japan,Unlimited,7,10.00,https://a.example/1\n"
    "2026-01-01,Alpha,Japan,Unlimited,7,12.00,https://a.example/1\n"
    "2026-01-01,Alpha,Japan,Unlimited,7,12.00,https://a.example/1\n"
    "2026-01-01,Gamma,Côte d’Ivoire,3 GB,30,8.25,https://c.example/1\n"
    "2026-01-01,delta,Guinea Bissau,5 GB,30,9,https://d.example/1\n"
    "2026-01-01,delta,Guinea-Bissau,5 GB,30,99,https://d.example/2\n"
    "2026-01-01,Beta,Europe,0.5 GB,1000,about 5,https://b.example/2\n"
)


@pytest.fixture
def market(tmp_path: Path) -> Path:
    path = tmp_path / "market.csv"
    path.write_text(ROWS, "utf-8")
    return path


def brands(world: SandboxWorld) -> dict[str, set[str]]:
    return {name: {item.brand for item in world.items(name)} for name in world.suppliers}


def test_a_brand_belongs_to_one_supplier_in_every_list(market: Path, tmp_path: Path) -> None:
    suppliers = ["s2s", "beppay", "pikasim"]
    dealt = brands(SandboxWorld(suppliers, market=market))
    assert sorted(brand for names in dealt.values() for brand in names) == ["Alpha", "Beta", "Gamma", "delta"]
    other = tmp_path / "other.csv"
    other.write_text(
        HEAD + "2026-02-01,Aardvark,Japan,1 GB,7,3,\n" + "".join(ROWS.splitlines(keepends=True)[-2:]), "utf-8"
    )
    for name, names in brands(SandboxWorld(suppliers, market=other)).items():
        assert names - {"Aardvark"} <= dealt[name]


def test_every_row_is_one_item_with_a_key_of_its_own(market: Path) -> None:
    world = SandboxWorld(["one"], market=market)
    items = world.items("one")
    assert len(items) == len({item.key for item in items}) == 8
    assert [item.price for item in items if item.place == "Japan"] == [
        Decimal("10.00"),
        Decimal("12.00"),
        Decimal("12.00"),
    ]


def test_keys_are_the_same_the_next_time(market: Path) -> None:
    first, second = SandboxWorld(["one"], market=market), SandboxWorld(["one"], seed=3, market=market)
    assert first.items("one") == second.items("one")


def test_a_price_that_changes_in_the_file_keeps_its_key(market: Path, tmp_path: Path) -> None:
    dearer = tmp_path / "dearer.csv"
    dearer.write_text(ROWS.replace("8.25", "8.75"), "utf-8")
    before, after = SandboxWorld(["one"], market=market), SandboxWorld(["one"], market=dearer)
    assert [item.key for item in before.items("one")] == [item.key for item in after.items("one")]


def test_dirt_stays_as_it_is_written(market: Path) -> None:
    items = {item.source_url: item for item in SandboxWorld(["one"], market=market).items("one")}
    city, region = items["https://b.example/1"], items["https://b.example/2"]
    assert (city.place, city.countries, city.region, city.data_text, city.mb, city.days) == (
        "Atlantis City", (), None, "1 GB", 1024, None,
    )  # fmt: skip
    assert (region.place, region.data_text, region.mb, region.days, region.price) == (
        "Europe",
        "0.5 GB",
        512,
        1000,
        None,
    )
    assert items["https://a.example/1"].unlimited
    assert all(item.market and item.dirt is None for item in items.values())


def test_a_market_world_can_be_told_to_change_too(market: Path) -> None:
    world = SandboxWorld(["one"], market=market)
    key = world.items("one")[0].key
    world.set_price("one", key, Decimal(1))
    found = world.item("one", key)
    assert found is not None
    assert found.price == 1
    assert set(world.drift("one", share=1.0)) <= {item.key for item in world.items("one")}


def test_a_file_that_is_no_such_list_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("country,price\nJapan,1\n", "utf-8")
    with pytest.raises(ConfigurationError, match=r"no column date, competitor"):
        SandboxWorld(["one"], market=wrong)
    with pytest.raises(ConfigurationError, match="No such file"):
        SandboxWorld(["one"], market=tmp_path / "absent.csv")
    wrong.write_bytes(HEAD.encode() + b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match=r"wrong\.csv"):
        SandboxWorld(["one"], market=wrong)
