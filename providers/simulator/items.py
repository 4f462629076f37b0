"""What one supplier sells, in plain words, before it is written in the supplier's own."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import msgspec

from providers.kit import places
from providers.simulator.triggers import Trigger
from schemas.plan import AfterAllowance, Network, Starts


class Dirt(StrEnum):
    """What is wrong with an item, on purpose. Each is already in the item's fields but the last two."""

    NO_VALIDITY = "no_validity"  # days is None
    NO_DATA_AMOUNT = "no_data_amount"  # mb None, not unlimited, data_text is empty
    NO_COUNTRY_LIST = "no_country_list"  # a region's name, countries is empty
    NO_SUCH_COUNTRY = "no_such_country"  # place is a city or island, countries is empty
    NO_PRICE = "no_price"  # price is None
    UNKNOWN_DATA_TYPE = "unknown_data_type"  # the supplier's sandbox writes a kind of data that no page names
    CONTRADICTORY = "contradictory"  # the supplier's sandbox lets two of its fields name different countries


class Item(msgspec.Struct, frozen=True):
    """What one supplier sells, as the sandbox's supplier itself knows it.

    ``key`` is unique at the supplier and stable. ``place`` is the place as the supplier writes it
    ("Japan", "Europe", in a market world the CSV's own words). ``countries`` are sorted ISO codes;
    empty when the supplier gives only words: always so in a market world, where nothing but ``place``
    may be shown (no codes, no list). ``region`` is the supplier's name for a plan of several countries.

    ``mb`` counts 1 GB as 1024 and is a day's amount when ``daily``; None when ``unlimited`` or not
    stated. ``data_text`` is the amount in words ("5 GB", "Unlimited"), in a market world verbatim.
    ``fair_use_mb`` is an unlimited item's stated high-speed amount per day, ``after`` what follows it
    or a day's amount. ``price`` is USD. ``stock`` None means plenty. An item that is not ``visible`` is
    listed as hidden where the supplier has such a word, and left out where it has none. ``triggers`` are
    what goes wrong when it is bought, ``label`` is its name, which says so. From ``hotspot`` to
    ``install_within_days`` the fields mean what they do in ``Features``.
    """

    key: str
    place: str
    countries: tuple[str, ...]
    data_text: str
    price: Decimal | None
    region: str | None = None
    mb: int | None = None
    unlimited: bool = False
    daily: bool = False
    fair_use_mb: int | None = None
    after: AfterAllowance | None = None
    days: int | None = None
    starts: Starts = Starts.INSTALL
    networks: tuple[Network, ...] = ()
    topup: bool = False
    voice: bool = False
    sms: bool = False
    exit_country: str | None = None
    hotspot: bool | None = None
    voice_minutes: int | None = None
    sms_count: int | None = None
    phone_number: bool | None = None
    kyc_required: bool | None = None
    install_within_days: int | None = None
    stock: int | None = None
    visible: bool = True
    brand: str = ""
    source_url: str = ""
    dirt: Dirt | None = None
    label: str = ""
    triggers: tuple[Trigger, ...] = ()

    @property
    def in_stock(self) -> bool:
        return self.stock is None or self.stock > 0

    @property
    def calls_text(self) -> str:
        """The minutes and SMS in it, as a name says them: "+ 100 Minutes + 50 SMS"."""
        minutes = f"+ {self.voice_minutes} Minutes" if self.voice_minutes else ""
        return " ".join(filter(None, (minutes, f"+ {self.sms_count} SMS" if self.sms_count else "")))

    @property
    def market(self) -> bool:
        """Whether the item comes from a market file, so that only its words are known."""
        return bool(self.brand)

    @property
    def cents(self) -> int | None:
        """The price in whole US cents; None when there is none."""
        return None if self.price is None else int(self.price.scaleb(2).to_integral_value())


@dataclass(slots=True)
class Listing:
    """The items that one request may show, in a stable order, with the faults of that request applied.

    ``total`` is what to state as their number, ``len(items)`` but for a fault. ``reached`` is the end
    of the furthest page that was taken.
    """

    items: list[Item]
    total: int
    empty_from: int | None = None
    reached: int = 0

    def page(self, offset: int, limit: int) -> list[Item]:
        """``limit`` items from ``offset`` on; fewer at the end."""
        self.reached = max(self.reached, min(offset + limit, len(self.items)))
        if self.empty_from is not None and offset >= self.empty_from:
            return []
        return self.items[offset : offset + limit]

    def all(self) -> list[Item]:
        """Every item, for a supplier whose page has no paging."""
        return self.page(0, len(self.items))


def codes_of(item: Item) -> tuple[str, ...]:
    """The item's ISO codes. In a market world: that of a country by its plain English name, none for other words."""
    code = None if item.countries else _codes_by_name().get(item.place.lower())
    return item.countries if code is None else (code,)


@functools.cache
def _codes_by_name() -> dict[str, str]:
    return {places.country_name(code).lower(): code for code in places.country_codes()}
