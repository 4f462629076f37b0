"""A small made-up market for tests: offers, and a catalogue that is asked the slow and obvious way."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec

from gateway.catalog.index import Index, layout
from gateway.catalog.index.affordable import standing_in
from gateway.catalog.index.build import SnapshotBuilder, Terms
from gateway.catalog.index.geography import Geography, Region
from gateway.catalog.index.overlay import Mark, Overlay, SupplierState
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.tables import finish
from gateway.kit.freshness import FreshnessBounds
from gateway.pricing.price_rules import PriceRule, Rates
from gateway.pricing.pricing_rules import Conditions, Rule, RuleSet, only, sets_at
from schemas.money import Money
from schemas.plan import (
    NOT_STATED,
    AfterFullSpeed,
    DataAllowance,
    Features,
    FullSpeed,
    Network,
    Offer,
    Period,
    Reset,
    Scope,
    Starts,
    Validity,
    nominal_mb,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BOUNDS = FreshnessBounds(900, 86400)
UNSAID = Features()
RATES = Rates("USD", {"EUR": Decimal("1.08"), "JPY": Decimal("0.0066"), "USDT": Decimal(1)})
NAMES = {
    "JP": "Japan",
    "KR": "South Korea",
    "TR": "Türkiye",
    "FR": "France",
    "DE": "Germany",
    "US": "United States",
    "AD": "Andorra",
    "TH": "Thailand",
}
REGIONS = (Region("europe", "Europe", ("AD", "DE", "FR", "TR")), Region("asia", "Asia", ("JP", "KR", "TH")))


def region_of(coverage: tuple[str, ...]) -> str | None:
    if len(coverage) < 2:
        return None
    return next((r.code for r in REGIONS if sum(c in r.countries for c in coverage) >= 0.8 * len(coverage)), None)


def plan_name(coverage: tuple[str, ...], data: DataAllowance, days: int, included: tuple[str, ...] = ()) -> str:
    place = ", ".join(NAMES.get(c, c) for c in coverage) if len(coverage) <= 3 else f"{len(coverage)} countries"
    amount = "unlimited" if data.mb is None else f"{data.mb / 1000:g} GB" if data.mb >= 1000 else f"{data.mb} MB"
    daily = " a day" if data.reset is Reset.DAILY else ""
    return f"{place} {', '.join((amount + daily, *included))}, {days} {'day' if days == 1 else 'days'}"


GEOGRAPHY = Geography(lambda code: NAMES.get(code, code), REGIONS, region_of, plan_name)


ALL_WELL = tuple(
    SupplierState(name, "live", last_good_at=NOW - timedelta(minutes=5), last_sync_state="ok") for name in "abc"
)


@dataclass(frozen=True)
class Item:
    """An offer of a supplier with what the database adds to it."""

    supplier: str
    offer: Offer
    suspect: bool = False

    @property
    def key(self) -> tuple[str, str]:
        return self.supplier, self.offer.supplier_plan_id


@dataclass
class Market:
    """Everything a catalogue is made from."""

    items: list[Item]
    mode: str = "live"
    terms: Terms = field(default_factory=lambda: Terms(RATES, {"c": Decimal("0.05")}))
    rules: RuleSet = field(default_factory=lambda: only(PriceRule(minimum_margin=Decimal("0.10"))))
    touched: dict[str, datetime] = field(default_factory=dict)
    gone: dict[str, datetime] = field(default_factory=dict)
    successors: dict[str, tuple[str, ...]] = field(default_factory=dict)
    overlay: Overlay = field(default_factory=lambda: Overlay(ALL_WELL))

    def snapshot(self) -> Snapshot:
        builder = SnapshotBuilder(self.mode, self.terms, GEOGRAPHY)
        for item in self.items:
            add(builder, item)
        meta, arrays = finish(
            builder,
            {plan: micros(at) for plan, at in self.touched.items()},
            {plan: micros(at) for plan, at in self.gone.items()},
            self.successors,
        )
        _, parts = layout.encode(meta, "test", arrays)
        return Snapshot(layout.from_memory(b"".join(parts)))

    def index(self, now: datetime = NOW) -> Index:
        snapshot = self.snapshot()
        return Index(snapshot, standing_in(snapshot, self.overlay, now, BOUNDS), self.rules)


def add(builder: SnapshotBuilder, item: Item) -> None:
    offer = item.offer
    builder.add(
        item.supplier,
        offer.supplier_plan_id,
        offer.name,
        offer.plan_id,
        offer.coverage,
        msgspec.json.encode(offer.data).decode(),
        offer.validity.days,
        offer.validity.starts.value,
        msgspec.json.encode(offer.networks).decode(),
        msgspec.json.encode(offer.features).decode(),
        None if offer.cost is None else f"{offer.cost.amount:f}",
        None if offer.cost is None else offer.cost.currency,
        offer.stock,
        offer.visible,
        item.suspect,
    )


def micros(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def mark(supplier: str, key: str, why: str = "out_of_stock") -> Mark:
    return Mark(supplier, key, why)


def offer(
    key: str,
    *,
    countries: str = "JP",
    mb: int | None = 1024,
    days: int = 7,
    cost: str | None = "5.00",
    currency: str = "USD",
    daily: bool = False,
    allowance: int | None = None,
    per: Period = Period.TOTAL,
    after: AfterFullSpeed = NOT_STATED,
    stock: int | None = None,
    visible: bool = True,
    five_g: str = "",
    operator: str = "Operator",
    mcc_mnc: str | None = None,
    features: Features = UNSAID,
    starts: Starts = Starts.INSTALL,
) -> Offer:
    """An offer; amounts are as the API shows them, an ``allowance`` of -1 has no limit."""
    coverage = tuple(sorted(countries.split()))
    declared = "Unlimited" if mb is None else f"{mb} MB"
    data = DataAllowance(
        mb=None if mb is None else nominal_mb(mb),
        declared=declared,
        unlimited=mb is None,
        reset=Reset.DAILY if daily else Reset.NEVER,
        allowance=None if allowance is None else FullSpeed(None if allowance < 0 else nominal_mb(allowance), per),
        after=after,
    )
    fast = five_g.split()
    networks = tuple(Network(c, operator.format(c), "5G" if c in fast else "4G", mcc_mnc) for c in coverage)
    money = None if cost is None else Money.of(cost, currency)
    return Offer(
        key, f"Name of {key}", coverage, data, Validity(days, starts), money, networks, features, stock, visible
    )


def some_items(seed: int, count: int) -> list[Item]:
    """Offers that overlap much, so that plans have several and values tie."""
    dice = random.Random(seed)
    codes = [code for code in NAMES if code != "AD"]
    covers = [" ".join(dice.sample(codes, dice.randint(2, 6))) for _ in range(5)] + codes[:4] * 2
    items = []
    for number in range(count):
        countries = dice.choice(covers)
        mb = dice.choice([None, 500, 1024, 1024, 3072, 5120])
        items.append(
            Item(
                dice.choice("abc"),
                offer(
                    f"{dice.choice('xyz')}{number}",
                    countries=countries,
                    mb=mb,
                    days=dice.choice([1, 7, 7, 30]),
                    cost=dice.choice([None, "0.01", f"{dice.randint(1, 12)}.{dice.choice(['00', '49', '495'])}"]),
                    currency=dice.choice(["USD", "USD", "EUR", "USDT", "XXX"]),
                    daily=mb is not None and dice.random() < 0.2,
                    allowance=dice.choice([None, 2048, 500, 0, -1]) if mb is None else None,
                    per=dice.choice([Period.TOTAL, Period.DAY]),
                    after=dice.choice([NOT_STATED, AfterFullSpeed(128, cut_off=False), AfterFullSpeed(cut_off=True)]),
                    stock=dice.choice([None, None, 3, 0]),
                    visible=dice.random() < 0.95,
                    five_g=dice.choice(["", countries, countries.split()[0]]),
                    operator=dice.choice(["Operator", "{} Mobile"]),
                    mcc_mnc=dice.choice([None, None, "44010"]),
                    features=Features(
                        topup=dice.choice([True, False, None]),
                        voice=dice.choice([True, False, None]),
                        sms=dice.choice([True, None]),
                        exit_country=dice.choice([None, "HK", "JP"]),
                        not_exit_countries=dice.choice([(), ("CN", "HK")]),
                        hotspot=dice.choice([True, False, None]),
                        voice_minutes=dice.choice([None, None, 0, 100]),
                        sms_count=dice.choice([None, None, 0, 50]),
                        sms_unlimited=dice.choice([None, False, False, True]),
                        phone_number=dice.choice([True, None]),
                        kyc_required=dice.choice([True, False, None]),
                        usage=dice.choice([True, False]),
                        refundable=dice.choice([True, False]),
                    ),
                ),
                suspect=dice.random() < 0.05,
            )
        )
    return items


def some_rules(seed: int) -> RuleSet:
    """A few rules of all kinds that overlap, some with amounts in another currency."""
    dice = random.Random(seed)
    rules = []
    for number in range(1, dice.randint(2, 7)):
        floor = dice.choice([None, None, Decimal("3.10"), Decimal(8)])
        when = Conditions(
            supplier=dice.choice([None, None, None, "a", "b"]),
            countries=dice.choice([(), (), ("JP",), ("DE", "FR", "TR"), ("JP", "KR", "TH", "US")]),
            region=dice.choice([None, None, None, "europe", "nowhere"]),
            scope=dice.choice([None, None, None, Scope.COUNTRY]),
            min_data_mb=dice.choice([None, None, 1024, 3072]),
            max_data_mb=dice.choice([None, None, 1024, 9000]),
            unlimited=dice.choice([None, None, None, True, False]),
        )
        price = PriceRule(
            percent=Decimal(dice.choice(["0", "5", "18", "140"])),
            fixed=Decimal(dice.choice(["0", "0.30"])),
            rounding=dice.choice(["currency", ".99"]),
            minimum_margin=Decimal(dice.choice(["0", "0.50", "2"])),
            floor=floor,
            ceiling=dice.choice([None, None, Decimal(9)]),
            currency=dice.choice([None, None, "EUR"]),
        )
        rules.append(Rule(f"pr_{number}", number, f"Rule {number}", when, price))
    default = PriceRule(minimum_margin=Decimal("0.10"))
    return sets_at(rules, default, NOW, {region.code: region.countries for region in REGIONS}).shared
