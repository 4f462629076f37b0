"""What every supplier sells: some thousand realistic plans, or a market price list as it is, dirt and all.

Made-up plans are the same for the same seed in every process.
"""

from __future__ import annotations

import csv
import hashlib
import math
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import msgspec

from providers.simulator import geography
from providers.simulator.items import Dirt, Item
from schemas.errors import ConfigurationError
from schemas.plan import AfterAllowance, Network, Starts

COLUMNS = ("date", "competitor", "country", "data", "days", "price_usd", "source_url")
_NOT_A_WORD = re.compile(r"[^a-z0-9.]+")
# What a list says of an amount, reckoned by itself: of it the answers are made that the plugins read.
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*(MB|GB|TB)", re.IGNORECASE)
_MB = {"MB": 1, "GB": 1024, "TB": 1024 * 1024}
_CENT = Decimal("0.01")
_NETWORKS_LISTED = 45  # of a global plan only so many countries come with operators


@dataclass(frozen=True, slots=True)
class _Shape:
    """An amount for some days, whatever the country. ``share`` is how many suppliers of a country have it."""

    mb: int | None
    days: int
    share: float
    daily: bool = False
    fair_use_mb: int | None = None

    @property
    def unlimited(self) -> bool:
        return self.mb is None

    @property
    def code(self) -> str:
        if self.mb is None:
            return "UNLIMITED" if self.fair_use_mb is None else f"UNLIMITED{self.fair_use_mb // 1024}"
        amount = _written(self.mb).replace(" ", "")
        return f"{amount}-DAILY" if self.daily else amount

    @property
    def label(self) -> str:
        if self.mb is None:
            if self.fair_use_mb is None:
                return "Unlimited"
            return f"Unlimited ({_written(self.fair_use_mb)}/day high speed then throttled)"
        return _written(self.mb) + ("/day" if self.daily else "")


def _written(mb: int) -> str:
    """An amount as a supplier writes it, with 1 GB = 1024 MB."""
    return f"{mb} MB" if mb % 512 else f"{Decimal(mb) / 1024:f} GB"


_CORE = (
    _Shape(1024, 7, 0.9),
    _Shape(3 * 1024, 15, 0.6),
    _Shape(3 * 1024, 30, 0.7),
    _Shape(5 * 1024, 30, 0.9),
    _Shape(10 * 1024, 30, 0.9),
    _Shape(20 * 1024, 30, 0.6),
)
_MORE = (
    _Shape(500, 1, 0.15),
    _Shape(512, 7, 0.10),
    _Shape(2 * 1024, 15, 0.25),
    _Shape(1536, 10, 0.05),
    _Shape(50 * 1024, 30, 0.2),
    _Shape(50 * 1024, 90, 0.1),
    _Shape(100 * 1024, 180, 0.05),
    _Shape(1024, 1, 0.1, daily=True),
    _Shape(1024, 7, 0.2, daily=True),
    _Shape(500, 5, 0.1, daily=True),
    _Shape(2 * 1024, 10, 0.15, daily=True),
    _Shape(None, 1, 0.1),
    _Shape(None, 7, 0.2),
    _Shape(None, 15, 0.15),
    _Shape(None, 10, 0.1, fair_use_mb=2 * 1024),
)
# Plans with calls and SMS are sold in these countries, by every supplier.
_WITH_CALLS = ("GB", "US")
_CALLS = _Shape(12 * 1024, 30, 1.0)
_CALLS_WORTH = 2.0
_CALLS_IN_IT: dict[str, Any] = {"voice_minutes": 100, "sms_count": 50, "phone_number": True}
_CARRIED = 0.75  # of the countries that are not popular, at each supplier
_CUT_OFF = 0.3  # of the daily plans; the others are throttled
_TOPUP, _VOICE, _SMS, _KYC = 0.65, 0.04, 0.08, 0.05
_HIDDEN, _SOLD_OUT, _NEARLY = 0.015, 0.04, 0.14  # up to which draw each fate goes
_EXITS = ("HK", "SG", "US", "GB", "NL", "PL", "FR", "DE", None)


def generate_items(suppliers: Sequence[str], seed: int) -> dict[str, list[Item]]:
    """Each supplier's items. What a plan is worth is shared, what each supplier asks for it is its own."""
    return {name: list(_catalogue(name, rank, seed)) for rank, name in enumerate(suppliers)}


def _catalogue(supplier: str, rank: int, seed: int) -> Iterator[Item]:
    level = random.Random(f"{seed}|{supplier}").uniform(0.92, 1.12)
    for code in geography.sold_countries():
        chance = random.Random(f"{seed}|{supplier}|{code}")
        popular = code in geography.POPULAR
        if not popular and chance.random() > _CARRIED:
            continue
        place = geography.spelling(code, rank)
        for shape in (*_CORE, *_MORE):
            always = popular and shape in _CORE
            if always or chance.random() < shape.share * (1.0 if popular else 0.8):
                worth = _worth(shape, _per_gb(code, seed)) * level
                item = _item(code, place, (code,), None, shape, worth, chance)
                yield item if always else _with_fate(item, chance)
        if code in _WITH_CALLS:
            own = random.Random(f"{seed}|{supplier}|{code}|calls")
            worth = _worth(_CALLS, _per_gb(code, seed)) * level + _CALLS_WORTH
            item = _item(code, place, (code,), None, _CALLS, worth, own)
            yield msgspec.structs.replace(item, key=f"{item.key}-CALLS", voice=True, sms=True, **_CALLS_IN_IT)
    for name, codes in _regions(rank, seed):
        chance = random.Random(f"{seed}|{supplier}|{name}")
        prefix = f"{_letters(name)}{len(codes)}"
        rate = sum(_per_gb(code, seed) for code in codes) / len(codes) * (1 + len(codes) ** 0.5 / 12)
        for shape in (*_CORE, *_MORE):
            if shape in _CORE or chance.random() < shape.share:
                worth = _worth(shape, rate) * level
                item = _item(prefix, name, tuple(sorted(codes)), name, shape, worth, chance)
                yield item if shape in _CORE else _with_fate(item, chance)
    yield from _dirty(supplier, rank, seed)


def _regions(rank: int, seed: int) -> Iterator[tuple[str, tuple[str, ...]]]:
    own = geography.REGIONS[rank % len(geography.REGIONS)]
    yield from own.items()
    sold = geography.sold_countries()
    random.Random(f"{seed}|global").shuffle(sold)
    sold.sort(key=lambda code: code not in geography.POPULAR)
    yield "Global", tuple(sold[: geography.GLOBAL_SIZES[rank % len(geography.GLOBAL_SIZES)]])


def _per_gb(where: str, seed: int) -> float:
    """US dollars for the first gigabyte: the same at all suppliers, another in each place."""
    low, high = (1.2, 2.4) if where in geography.POPULAR else (1.5, 5.5)
    return random.Random(f"{seed}|worth|{where}").uniform(low, high)


def _worth(shape: _Shape, per_gb: float) -> float:
    if shape.mb is None:
        return 1.0 + per_gb * 1.6 * math.pow(shape.days, 0.78) * (0.85 if shape.fair_use_mb else 1.0)
    gigabytes = shape.mb / 1024 * (shape.days if shape.daily else 1)
    return 0.8 + per_gb * math.pow(gigabytes, 0.72) * math.pow(shape.days / 30, 0.12)


def _item(
    prefix: str,
    place: str,
    codes: tuple[str, ...],
    region: str | None,
    shape: _Shape,
    worth: float,
    chance: random.Random,
) -> Item:
    price = max(_CENT, Decimal(repr(round(worth * chance.uniform(0.88, 1.14), 4))).quantize(_CENT))
    after = None
    if shape.daily or shape.fair_use_mb:
        after = AfterAllowance.CUT_OFF if shape.daily and chance.random() < _CUT_OFF else AfterAllowance.THROTTLED
    return Item(
        key=f"{prefix}-{shape.code}-{shape.days}D",
        place=place,
        countries=codes,
        data_text=shape.label,
        price=price,
        region=region,
        mb=shape.mb,
        unlimited=shape.unlimited,
        daily=shape.daily,
        fair_use_mb=shape.fair_use_mb,
        after=after,
        days=shape.days,
        starts=chance.choice((Starts.INSTALL, Starts.INSTALL, Starts.FIRST_USE)),
        networks=_networks(codes, chance),
        topup=chance.random() < _TOPUP,
        voice=chance.random() < _VOICE,
        sms=chance.random() < _SMS,
        exit_country=chance.choice((*_EXITS, codes[0])),
        **_facts(random.Random(f"{prefix}|{shape.code}|{shape.days}|facts")),
    )


def _facts(chance: random.Random) -> dict[str, Any]:
    """What the supplier knows of an item besides, be there a field for it or not."""
    return {
        "hotspot": chance.choice((True, True, False)),
        "phone_number": False,
        "kyc_required": chance.random() < _KYC,
        "install_within_days": chance.choice((None, 90, 180)),
    }


def _networks(codes: tuple[str, ...], chance: random.Random) -> tuple[Network, ...]:
    listed: list[Network] = []
    for code in codes[:_NETWORKS_LISTED]:
        there = geography.operators(code)
        some = chance.sample(there, chance.randint(1, min(2, len(there))))
        listed.extend(Network(code, name, chance.choice(("5G", "4G", "4G", "4G", "3G"))) for name in some)
    return tuple(listed)


def _with_fate(item: Item, chance: random.Random) -> Item:
    """Now and then an item is hidden, sold out or nearly so."""
    fate = chance.random()
    if fate < _HIDDEN:
        return msgspec.structs.replace(item, visible=False)
    if fate < _SOLD_OUT:
        return msgspec.structs.replace(item, stock=0)
    if fate < _NEARLY:
        return msgspec.structs.replace(item, stock=chance.randint(1, 200))
    return item


def _dirty(supplier: str, rank: int, seed: int) -> Iterator[Item]:
    """Items that no rule can map, a few of each kind."""
    chance = random.Random(f"{seed}|{supplier}|dirt")
    clean = _Shape(5 * 1024, 30, 1.0)

    def spoil(number: int, code: str, dirt: Dirt, **changes: object) -> Item:
        item = _item(code, geography.spelling(code, rank), (code,), None, clean, _worth(clean, 2.0), chance)
        return msgspec.structs.replace(item, key=f"X{number}-{dirt.name}-{item.key}", dirt=dirt, **changes)

    for number, code in enumerate(("FR", "BR", "KE")):
        yield spoil(number, code, Dirt.NO_VALIDITY, days=None)
        yield spoil(number, code, Dirt.UNKNOWN_DATA_TYPE)
        yield spoil(number, code, Dirt.CONTRADICTORY)
    for number, (code, city) in enumerate(
        (("JP", "Tokyo City"), ("ID", "Bali City"), ("US", "Hawaii"), ("ES", "Ibiza"))
    ):
        yield spoil(number, code, Dirt.NO_SUCH_COUNTRY, place=city, countries=(), networks=(), exit_country=None)
    for number, region in enumerate(("Europe Lite", "Mediterranean Cruise", "Caribbean Islands")):
        gone = {"place": region, "region": region, "countries": (), "networks": (), "exit_country": None}
        yield spoil(number, "IT", Dirt.NO_COUNTRY_LIST, **gone)
    yield spoil(0, "CA", Dirt.NO_DATA_AMOUNT, mb=None, data_text="")
    yield spoil(0, "MX", Dirt.NO_PRICE, price=None)


def _letters(name: str) -> str:
    return "".join(letter for letter in name.upper() if letter.isascii() and letter.isalpha())


def deal_items(path: Path, suppliers: Sequence[str]) -> dict[str, list[Item]]:
    """Each supplier's items. A brand belongs to the same supplier in every list, whatever other brands stand in it.

    Every row is one item. Raises ``ConfigurationError`` when the file cannot be read as such a list.
    """
    dealt: dict[str, list[Item]] = {name: [] for name in suppliers}
    for item in _market_items(path) if suppliers else ():
        digest = hashlib.blake2b(item.brand.encode(), digest_size=8).digest()
        dealt[suppliers[int.from_bytes(digest) % len(suppliers)]].append(item)
    return dealt


def _market_items(path: Path) -> Iterator[Item]:
    """The rows as items. A key is made of the row's words, and numbered where rows share them."""
    seen: Counter[str] = Counter()
    for row in _rows(path):
        parts = (row["competitor"], row["country"], row["data"], f"{row['days']}d" if row["days"] else "")
        base = "-".join(_NOT_A_WORD.sub("-", word.lower()).strip("-") for word in parts if word)
        seen[base] += 1
        amount = _AMOUNT.fullmatch(row["data"].strip())
        days = row["days"].strip()
        yield Item(
            key=f"{base}-{seen[base]}",
            place=row["country"],
            countries=(),
            data_text=row["data"],
            price=_price(row["price_usd"]),
            mb=None if amount is None else int(Decimal(amount[1]) * _MB[amount[2].upper()]),
            unlimited=row["data"].strip().lower() == "unlimited",
            days=int(days) if days.isascii() and days.isdecimal() else None,
            brand=row["competitor"],
            source_url=row["source_url"],
        )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise ConfigurationError(f"{path}: no column {', '.join(missing)}")
            yield from reader
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: {error}") from None


def _price(text: str) -> Decimal | None:
    try:
        price = Decimal(text)
    except InvalidOperation:
        return None
    return price if price.is_finite() else None
