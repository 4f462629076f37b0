"""What is sold: offers of suppliers, and the plan that equal offers are to a traveller."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

import msgspec

from schemas.money import Money

MB_PER_GB = 1024
GLOBAL_FROM = 100
# Nobody lives on Bouvet Island: the plans on which the sandboxes go wrong are for it.
TRIGGER_COUNTRY = "BV"
_SPELT_OUT = 3  # an id names so many countries, and counts more


class Scope(StrEnum):
    """How far a plan reaches, by the number of its countries alone."""

    COUNTRY = "country"
    REGION = "region"
    GLOBAL = "global"


class Reset(StrEnum):
    """Whether the data amount is for the whole validity or for each day of it."""

    NEVER = "never"
    DAILY = "daily"


class Basis(StrEnum):
    """How a supplier counts its gigabyte; ``text`` when only words were given."""

    BINARY = "2^30"
    DECIMAL = "10^9"
    TEXT = "text"


class AfterAllowance(StrEnum):
    """What happens when a daily or fair-use allowance is used up."""

    THROTTLED = "throttled"
    CUT_OFF = "cut_off"


class Starts(StrEnum):
    """What starts a plan's validity."""

    INSTALL = "install"
    FIRST_USE = "first_use"
    PURCHASE = "purchase"
    UNKNOWN = "unknown"


class FairUse(msgspec.Struct, frozen=True):
    """What limits an allowance beyond its amount.

    ``allowance_mb`` is the stated high-speed amount of an unlimited plan, in MB with 1 GB = 1024,
    per day when ``per_day``; None when the supplier states none.
    """

    after: AfterAllowance | None = None
    allowance_mb: int | None = None
    per_day: bool = False


class DataAllowance(msgspec.Struct, frozen=True):
    """The declared amount of data.

    ``mb`` counts 1 GB as 1024 and is None when unlimited; it is a day's amount when ``reset`` is
    daily. ``declared`` is the normalised text ("1 GB"), ``bytes`` what the supplier counts, if it
    says so, and ``basis`` how it counts.
    """

    mb: int | None
    declared: str
    unlimited: bool = False
    reset: Reset = Reset.NEVER
    fair_use: FairUse | None = None
    bytes: int | None = None
    basis: Basis = Basis.TEXT

    def total_mb(self, days: int) -> int | None:
        """MB over ``days`` days: the amount itself, or a day's amount times the days; None when unlimited."""
        if self.mb is None:
            return None
        return self.mb * days if self.reset is Reset.DAILY else self.mb


class Validity(msgspec.Struct, frozen=True):
    """How many days a plan lasts, and from when."""

    days: int
    starts: Starts = Starts.UNKNOWN


class Network(msgspec.Struct, frozen=True):
    """An operator that a plan uses in a country; ``generation`` is "5G", "4G", "3G" or None when unsaid."""

    country: str
    operator: str
    generation: str | None = None


class Features(msgspec.Struct, frozen=True):
    """What a plan can do besides data. None means that the supplier does not say.

    ``exit_country`` is the ISO 3166-1 alpha-2 code of the country where traffic reaches the internet.
    """

    topup: bool | None = None
    voice: bool | None = None
    sms: bool | None = None
    exit_country: str | None = None


class Offer(msgspec.Struct, frozen=True):
    """One supplier's sellable item, in the gateway's words.

    ``coverage`` is a sorted tuple of ISO 3166-1 alpha-2 codes without repeats. ``cost`` is what we
    pay, None when the supplier gives no fixed price (never 0). ``stock`` is None when it does not say.
    ``supplier_product_id`` is the product that the item belongs to, where a supplier tells one item's price by
    its product only.
    """

    supplier_plan_id: str
    name: str
    coverage: tuple[str, ...]
    data: DataAllowance
    validity: Validity
    cost: Money | None
    networks: tuple[Network, ...] = ()
    features: Features = Features()
    stock: int | None = None
    visible: bool = True
    description: str = ""
    supplier_product_id: str | None = None

    @property
    def plan_id(self) -> str:
        """The id of the plan that this offer is."""
        return plan_id(self.coverage, self.data, self.validity.days)


class SetAsideReason(StrEnum):
    """Why a supplier's item could not be mapped to a plan."""

    NO_VALIDITY = "no_validity"
    NO_DATA_AMOUNT = "no_data_amount"
    NO_SUCH_COUNTRY = "no_such_country"
    COVERAGE_UNKNOWN = "coverage_unknown"
    CONTRADICTORY = "contradictory"
    UNKNOWN_DATA_TYPE = "unknown_data_type"
    UNKNOWN_UNIT = "unknown_unit"
    NO_PRICE = "no_price"
    NO_NAME = "no_name"
    UNKNOWN_FIELDS = "unknown_fields"
    NOT_A_NEW_ESIM = "not_a_new_esim"


class About(StrEnum):
    """What of an item was not understood; of places, units and attributes people can tell what a word means."""

    PLACE = "place"
    UNIT = "unit"
    ATTRIBUTE = "attribute"
    DATA = "data"
    DATA_TYPE = "data_type"
    DAYS = "days"
    NOTHING = ""


class SetAside(msgspec.Struct, frozen=True):
    """A supplier's item that no rule understood, kept with the reason and as it came.

    ``detail`` says what was not understood; ``raw`` is the item's own JSON. ``words`` are the supplier's words
    ``about`` which nothing is known, and ``cost`` what the item would cost us, when that could be read.
    """

    supplier_plan_id: str
    name: str
    reason: SetAsideReason
    detail: str
    raw: bytes
    about: About = About.NOTHING
    words: tuple[str, ...] = ()
    cost: Money | None = None


class WhyNot(StrEnum):
    """Why a mapped offer is not selectable."""

    INVISIBLE = "invisible"
    OUT_OF_STOCK = "out_of_stock"
    EXPIRED = "expired"
    SUSPECT_PRICE = "suspect_price"
    STOPPED = "stopped"
    NO_RATE = "no_rate"
    NO_FIXED_PRICE = "no_fixed_price"
    THIN_MARGIN = "thin_margin"
    SUPPLIER_PAUSED = "supplier_paused"
    NO_BALANCE = "no_balance"


class Observation(msgspec.Struct, frozen=True):
    """What one look at a supplier said of one offer, and when (UTC)."""

    offer: Offer
    observed_at: datetime


def is_trigger(mode: str, coverage: Collection[str]) -> bool:
    """Whether a plan is one on which something goes wrong on purpose: in test mode, for Bouvet Island alone.

    The suppliers' sandboxes sell such plans. They are in no list and no choice that does not ask for them, and what
    becomes of their orders says nothing of a supplier.
    """
    return mode == "test" and len(coverage) == 1 and TRIGGER_COUNTRY in coverage


def scope_of(coverage: tuple[str, ...]) -> Scope:
    """Country for one country, global from 100 countries on, region between."""
    if len(coverage) == 1:
        return Scope.COUNTRY
    return Scope.GLOBAL if len(coverage) >= GLOBAL_FROM else Scope.REGION


def plan_id(coverage: tuple[str, ...], data: DataAllowance, days: int) -> str:
    """The stable id of a plan: readable words, then a digest of all that makes its identity.

    Identity is the coverage set, ``mb``, ``unlimited``, ``reset``, ``days`` and, for an unlimited
    plan, its stated fair-use allowance. It is the same on every process and after every sync.
    """
    codes = sorted(set(coverage))
    allowance = ""
    if data.unlimited and data.fair_use is not None and data.fair_use.allowance_mb is not None:
        allowance = f"{data.fair_use.allowance_mb}{'/d' if data.fair_use.per_day else ''}"
    identity = "|".join(
        ("1", ",".join(codes), str(data.mb), str(int(data.unlimited)), data.reset.value, str(days), allowance)
    )
    digest = hashlib.blake2b(identity.encode(), digest_size=6).hexdigest()
    where = "-".join(codes).lower() if len(codes) <= _SPELT_OUT else f"{len(codes)}countries"
    daily = "-daily" if data.reset is Reset.DAILY else ""
    return f"{where}-{_amount_slug(data)}{daily}-{days}d-{digest}"


def _amount_slug(data: DataAllowance) -> str:
    if data.mb is None:
        return "unlimited"
    if data.mb % (MB_PER_GB // 2) == 0 and data.mb >= MB_PER_GB:
        whole, rest = divmod(data.mb, MB_PER_GB)
        return f"{whole}{'.5' if rest else ''}gb"
    return f"{data.mb}mb"
