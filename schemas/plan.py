"""What is sold: offers of suppliers, and the plan that equal offers are to a traveller."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

import msgspec

from schemas.money import Money

MB_PER_GB = 1024  # in `mb` of the API, and in what is asked of it
NOMINAL_MB_PER_GB = 1000  # everywhere inside
BOUNDLESS = 10**15  # nominal MB, above every amount of data
DAYS_PER_MONTH = 30
SLOW_KBPS = 1000
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
    """Whether the data amount is for the whole validity, or for each day or month of it."""

    NEVER = "never"
    DAILY = "daily"
    MONTHLY = "monthly"


class Period(StrEnum):
    """What an amount of full-speed data is for."""

    TOTAL = "total"
    DAY = "day"
    MONTH = "month"


class Basis(StrEnum):
    """How a supplier counts its gigabyte; ``text`` when only words were given."""

    BINARY = "2^30"
    DECIMAL = "10^9"
    TEXT = "text"


class AfterAllowance(StrEnum):
    """What happens when a daily or fair-use allowance is used up, in one word."""

    THROTTLED = "throttled"
    CUT_OFF = "cut_off"


class Starts(StrEnum):
    """What starts a plan's validity."""

    INSTALL = "install"
    FIRST_USE = "first_use"
    PURCHASE = "purchase"
    UNKNOWN = "unknown"


class AfterGrade(StrEnum):
    """What follows full-speed data, as far as unlimited plans differ by it."""

    SLOW = "under 1 Mbps"
    FAST = "1 Mbps or more"
    THROTTLED = "throttled"
    CUT_OFF = "cut off"


class FullSpeed(msgspec.Struct, frozen=True):
    """How much data runs at full speed, in nominal MB. ``mb`` None: the supplier says that nothing limits it."""

    mb: int | None
    per: Period = Period.TOTAL

    def over(self, days: int) -> int | None:
        """Nominal MB over so many days; a month is 30 days, rounded down, and at least one counts."""
        if self.mb is None or self.per is Period.TOTAL:
            return self.mb
        return self.mb * (days if self.per is Period.DAY else max(1, days // DAYS_PER_MONTH))


class AfterFullSpeed(msgspec.Struct, frozen=True):
    """What follows the full-speed data. ``kbps`` is the speed, ``cut_off`` whether data ends; None where not stated."""

    kbps: int | None = None
    cut_off: bool | None = None

    @property
    def goes_on(self) -> bool:
        """Whether it is stated that data goes on."""
        return self.kbps is not None or self.cut_off is False

    @property
    def grade(self) -> AfterGrade | None:
        """What of it makes another plan; None where nothing is stated."""
        if self.kbps is not None:
            return AfterGrade.SLOW if self.kbps < SLOW_KBPS else AfterGrade.FAST
        if self.cut_off is None:
            return None
        return AfterGrade.CUT_OFF if self.cut_off else AfterGrade.THROTTLED


NOT_STATED = AfterFullSpeed()


class DataAllowance(msgspec.Struct, frozen=True):
    """The declared amount of data.

    ``mb`` is whole nominal MB (1 GB = 1000; the API shows ``shown_mb`` of it), an amount of a day or month by
    ``reset``, and None when unlimited. ``declared`` is the normalised text ("1 GB"). ``allowance`` is what an unlimited
    plan states to run at full speed, None where it states nothing; ``after`` is what follows the full-speed data, and
    ``tier`` the supplier's word for a grade of the plan ("Lite"). ``bytes`` is what the supplier counts, if it says so,
    and ``basis`` how it counts.
    """

    mb: int | None
    declared: str
    unlimited: bool = False
    reset: Reset = Reset.NEVER
    allowance: FullSpeed | None = None
    after: AfterFullSpeed = NOT_STATED
    tier: str | None = None
    bytes: int | None = None
    basis: Basis = Basis.TEXT

    @property
    def full_speed(self) -> FullSpeed | None:
        """The amount itself, of an unlimited plan its stated allowance; None where it states none."""
        return self.allowance if self.mb is None else FullSpeed(self.mb, _PERIODS[self.reset])

    @property
    def goes_on(self) -> bool:
        """Whether data goes on after the full-speed data, be it slower."""
        return self.unlimited or self.after.goes_on

    def total_mb(self, days: int) -> int | None:
        """Nominal MB of the amount over ``days`` days; None when unlimited."""
        return None if self.mb is None else FullSpeed(self.mb, _PERIODS[self.reset]).over(days)

    def counted_mb(self, days: int, assumed_per_day: int) -> int:
        """Nominal MB at full speed over ``days`` days, as they count against a need.

        ``BOUNDLESS`` where nothing limits them; ``assumed_per_day`` counts where nothing is stated.
        """
        found = self.full_speed or FullSpeed(assumed_per_day, Period.DAY)
        counted = found.over(days)
        return BOUNDLESS if counted is None else counted


class Validity(msgspec.Struct, frozen=True):
    """How many days a plan lasts, and from when."""

    days: int
    starts: Starts = Starts.UNKNOWN


class Network(msgspec.Struct, frozen=True):
    """An operator that a plan uses in a country; ``generation`` is "5G", "4G", "3G" or None when unsaid.

    ``mcc_mnc`` is the operator's number by ITU-T E.212 ("44010"), None when it is not known.
    """

    country: str
    operator: str
    generation: str | None = None
    mcc_mnc: str | None = None


class Features(msgspec.Struct, frozen=True):
    """What a plan can do besides data. None means that the supplier does not say.

    ``exit_country`` is the ISO 3166-1 alpha-2 code of the country where traffic reaches the internet,
    ``not_exit_countries`` are codes of countries where the supplier says that it does not. ``voice_minutes`` and
    ``sms_count`` are included; with ``voice_unlimited`` and ``sms_unlimited`` there is no such number.
    ``phone_number``: the eSIM has a number of its own. ``install_within_days`` counts from the purchase. ``usage``
    and ``refundable`` are of the supplier: it tells how much of an eSIM is used, and takes an unused one back.
    """

    topup: bool | None = None
    voice: bool | None = None
    sms: bool | None = None
    exit_country: str | None = None
    hotspot: bool | None = None
    voice_minutes: int | None = None
    voice_unlimited: bool | None = None
    sms_count: int | None = None
    sms_unlimited: bool | None = None
    phone_number: bool | None = None
    kyc_required: bool | None = None
    install_within_days: int | None = None
    usage: bool | None = None
    refundable: bool | None = None
    not_exit_countries: tuple[str, ...] = ()

    @property
    def included(self) -> tuple[str, ...]:
        """The minutes and SMS that are part of what a plan is, in words; what is None, 0 or False is none."""
        # These words go into the digests of ids: another spelling would give such plans other ids.
        return tuple(
            f"{'unlimited' if unlimited else number} {what}"
            for number, unlimited, what in (
                (self.voice_minutes, self.voice_unlimited, "minutes"),
                (self.sms_count, self.sms_unlimited, "SMS"),
            )
            if number or unlimited
        )


class Offer(msgspec.Struct, frozen=True):
    """One supplier's sellable item, in the gateway's words.

    ``coverage`` is a sorted tuple of ISO 3166-1 alpha-2 codes without repeats. ``cost`` is what we
    pay, None when the supplier gives no fixed price (never 0). ``stock`` is None when it does not say.
    ``supplier_product_id`` is the product that the item belongs to, where a supplier tells one item's price by
    its product only. ``provider`` is the name of the plugin that mapped it.
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
    provider: str = ""

    @property
    def plan_id(self) -> str:
        """The id of the plan that this offer is."""
        return plan_id(self.coverage, self.data, self.validity.days, self.provider, self.features.included)


class SetAsideReason(StrEnum):
    """Why a supplier's item could not be mapped to a plan."""

    NO_VALIDITY = "no_validity"
    NO_DATA_AMOUNT = "no_data_amount"
    UNLIKELY_AMOUNT = "unlikely_amount"
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
    QUARANTINED = "quarantined"
    NO_RATE = "no_rate"
    NO_FIXED_PRICE = "no_fixed_price"
    THIN_MARGIN = "thin_margin"
    SUPPLIER_PAUSED = "supplier_paused"
    NO_BALANCE = "no_balance"


class Observation(msgspec.Struct, frozen=True):
    """What one look at a supplier said of one offer, and when (UTC)."""

    offer: Offer
    observed_at: datetime


_PERIODS = {Reset.NEVER: Period.TOTAL, Reset.DAILY: Period.DAY, Reset.MONTHLY: Period.MONTH}
_PER = {Period.TOTAL: "", Period.DAY: "/d", Period.MONTH: "/m"}


def is_trigger(mode: str, coverage: Collection[str]) -> bool:
    """Whether a plan is one on which something goes wrong on purpose: in test mode, for Bouvet Island alone.

    The suppliers' sandboxes sell such plans. They are in no list and no choice that does not ask for them, and what
    becomes of their orders says nothing of a supplier.
    """
    return mode == "test" and len(coverage) == 1 and TRIGGER_COUNTRY in coverage


def nominal_mb(number: int) -> int:
    """What a number of MB means, of a supplier or of a request, in nominal MB.

    512 and 256 are half and a quarter of a GB; a multiple of 512 from 1024 on counts 1024 a GB; every other
    number counts 1000 (1500 is 1.5 GB).
    """
    binary = number in (MB_PER_GB // 4, MB_PER_GB // 2) or (number >= MB_PER_GB and number % (MB_PER_GB // 2) == 0)
    return number * NOMINAL_MB_PER_GB // MB_PER_GB if binary else number


def asked_mb(nominal: int) -> int:
    """A number of MB for a request that ``nominal_mb`` reads as this amount: 5 GB are 5120, 1.1 GB are 1100."""
    return shown_mb(nominal) if nominal % (NOMINAL_MB_PER_GB // 2) == 0 else nominal


def shown_mb(nominal: int) -> int:
    """An amount of nominal MB as ``mb`` of the API: unchanged below 1 GB, with 1 GB = 1024 from there on."""
    if nominal < NOMINAL_MB_PER_GB:
        return nominal
    return (2 * nominal * MB_PER_GB + NOMINAL_MB_PER_GB) // (2 * NOMINAL_MB_PER_GB)


def scope_of(coverage: tuple[str, ...]) -> Scope:
    """Country for one country, global from 100 countries on, region between."""
    if len(coverage) == 1:
        return Scope.COUNTRY
    return Scope.GLOBAL if len(coverage) >= GLOBAL_FROM else Scope.REGION


def plan_id(
    coverage: tuple[str, ...], data: DataAllowance, days: int, provider: str = "", included: tuple[str, ...] = ()
) -> str:
    """The stable id of a plan: readable words, then a digest of all that makes its identity.

    Identity is the coverage set, ``mb``, ``unlimited``, ``reset``, ``days``, what is ``included`` of minutes and SMS
    (``Features.included``) and, for an unlimited plan, its stated full-speed allowance, what follows it and its tier.
    An unlimited plan that states no allowance is equal only to offers of its own provider. It is the same on every
    process and after every sync. Amounts go into the digest as the API shows them: so they did before they were
    nominal, and ids must stay.
    """
    codes = sorted(set(coverage))
    mb = None if data.mb is None else shown_mb(data.mb)
    identity = "|".join(
        (
            "1",
            ",".join(codes),
            str(mb),
            str(int(data.unlimited)),
            data.reset.value,
            str(days),
            *_unlimited(data, provider),
            *included,
        )
    )
    digest = hashlib.blake2b(identity.encode(), digest_size=6).hexdigest()
    where = "-".join(codes).lower() if len(codes) <= _SPELT_OUT else f"{len(codes)}countries"
    daily = "" if data.reset is Reset.NEVER else f"-{data.reset.value}"
    also = "".join(f"-{words.replace(' ', '').lower()}" for words in included)
    return f"{where}-{_amount_slug(data)}{daily}{also}-{days}d-{digest}"


def _unlimited(data: DataAllowance, provider: str) -> tuple[str, ...]:
    """What tells unlimited plans apart; without the parts behind the allowance where none says anything."""
    if not data.unlimited:
        return ("",)
    grade, tier = data.after.grade, (data.tier or "").lower()
    if data.allowance is None:
        allowance, owner = "", provider
    else:
        amount = "boundless" if data.allowance.mb is None else str(shown_mb(data.allowance.mb))
        allowance, owner = amount + ("" if data.allowance.mb is None else _PER[data.allowance.per]), ""
    also = (owner, grade.value if grade is not None else "", tier)
    return (allowance, *also) if any(also) else (allowance,)


def _amount_slug(data: DataAllowance) -> str:
    if data.mb is None:
        return "unlimited"
    if data.mb % (NOMINAL_MB_PER_GB // 2) == 0 and data.mb >= NOMINAL_MB_PER_GB:
        whole, rest = divmod(data.mb, NOMINAL_MB_PER_GB)
        return f"{whole}{'.5' if rest else ''}gb"
    return f"{shown_mb(data.mb)}mb"
