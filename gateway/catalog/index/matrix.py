"""Which supplier is cheapest where: of each country and supplier the offer that a need would buy there.

Everything is read from the columns of a snapshot; fifty countries are a few milliseconds.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from fractions import Fraction
from operator import itemgetter
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from gateway.catalog.index.amounts import counted, per_gb, totals
from gateway.catalog.index.layout import Array
from gateway.catalog.index.snapshot import Snapshot
from gateway.catalog.index.tables import SCOPES
from providers.kit.places import country_name
from schemas.plan import NOMINAL_MB_PER_GB, Scope, nominal_mb

Per = Literal["plan", "gb", "day"]
NONE = -1
_NO_COST = (1 << 30) - 1
_ROW_BITS = 32


class Bucket(msgspec.Struct, frozen=True):
    """What every cell is asked for: a need of one country, at least ``data_mb`` for at least ``days``.

    With ``exact`` just that amount (of a daily plan: over all its days) and just so many days.
    ``scope`` lets only plans of that reach compete. ``everything`` lets offers compete, too, that
    cannot be sold now, ``triggers`` those of plans on which a sandbox goes wrong on purpose.
    """

    data_mb: int | None = None
    days: int | None = None
    unlimited: bool = False
    exact: bool = False
    scope: Scope | None = None
    everything: bool = False
    triggers: bool = False


class Ratio(NamedTuple):
    """A figure as a quotient of whole numbers: a thousand of them are compared for every page."""

    above: int
    below: int

    def is_less_than(self, other: Ratio) -> bool:
        """Whether this is the lower of the two."""
        return self.above * other.below < other.above * self.below


class Lead(NamedTuple):
    """The cheapest of a row, and by how much it beats the next: both None where it is alone.

    ``by`` is in base currency per plan, GB or day; ``share`` is of the next one's figure.
    """

    row: int
    by: Fraction | None
    share: Fraction | None


def places(
    snapshot: Snapshot, region: str | None, chosen: Sequence[str], *, triggers: bool = False
) -> list[tuple[str, str]]:
    """(code, name) of the countries of a matrix, by name: those asked for, else all that have offers.

    Only those of the ``region``, when one is given that is known.
    """
    every = snapshot.memo(("places by name", triggers), lambda: _by_name(snapshot, triggers=triggers))
    if chosen:
        every = sorted(((code, name_of(snapshot, code)) for code in set(chosen)), key=lambda place: sort_key(*place))
    if region is not None:
        within = next((set(codes) for code, _, codes in snapshot.regions if code == region), set())
        every = [place for place in every if place[0] in within]
    return every


def name_of(snapshot: Snapshot, code: str) -> str:
    """A country's name, whether or not it has offers."""
    number = snapshot.country(code)
    return country_name(code) if number is None else snapshot.country_names[number]


def sort_key(code: str, name: str) -> tuple[str, str]:
    """Where a country stands among others: by its name without case and accents."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return plain, code


def cells(snapshot: Snapshot, selectable: Array, bucket: Bucket, codes: Sequence[str]) -> Array:
    """For each country (down) and supplier (across) the row of the offer to buy, or ``NONE``.

    That is the lowest cost in base currency, then the lowest supplier_plan_id; an offer without a
    cost only where there is no other. ``selectable`` tells of each row whether it can be sold now.
    """
    will = kinds_of(snapshot, bucket).take(snapshot.kind)
    rows = np.flatnonzero(will if bucket.everything else will & selectable)
    if bucket.everything:  # what can be sold is in the order of choice already
        rows = rows.take(_choice(snapshot, rows).argsort())
    suppliers = len(snapshot.suppliers)
    first: Array = np.full(snapshot.covers * suppliers, len(rows), dtype=np.int32)
    cell = snapshot.cover.take(rows).astype(np.int64) * suppliers + snapshot.supplier.take(rows)
    first[cell[::-1]] = np.arange(len(rows))[::-1]
    first = first.reshape(snapshot.covers, suppliers)
    numbers = [snapshot.country(code) for code in codes]
    nothing = np.full(suppliers, len(rows))
    found = [nothing if number is None else first.take(snapshot.covers_of(number), 0).min(0) for number in numbers]
    return np.append(rows, NONE).take(np.array(found, dtype=np.int64).reshape(len(codes), suppliers))


def competing(snapshot: Snapshot, selectable: Array, bucket: Bucket, code: str, supplier: str | None) -> Array:
    """All rows that compete in a country, or in one supplier's cell of it, the one to buy first.

    Those that cannot be sold now come last, whether or not the bucket lets them compete.
    """
    everything = msgspec.structs.replace(bucket, everything=True)
    rows = _competing(snapshot, selectable, everything, kinds_of(snapshot, bucket), code)
    if supplier is not None:
        number = snapshot.suppliers.index(supplier) if supplier in snapshot.suppliers else NONE
        rows = rows.compress(snapshot.supplier.take(rows) == number)
    return rows.take(np.lexsort((_choice(snapshot, rows), ~selectable.take(rows))))


def kinds_of(snapshot: Snapshot, bucket: Bucket) -> Array:
    """For each kind of plan, whether it meets the bucket."""
    key = ("bucket", bucket.data_mb, bucket.days, bucket.unlimited, bucket.exact, bucket.scope, bucket.triggers)
    return snapshot.memo(key, lambda: _kinds_of(snapshot, bucket))


def figure(snapshot: Snapshot, row: int, per: Per, days: int | None) -> Ratio | None:
    """The cost of a row in base currency per plan, per GB or per day, exact.

    None without a cost, and per GB where it is not known how much data runs at full speed. A day's or month's amount
    counts for the ``days`` of the need, or for the plan's own.
    """
    cost = int(snapshot.cost[row])
    if cost < 0:
        return None
    whole, unit = snapshot.whole_costs[cost], 10**snapshot.scale
    if per == "plan":
        return Ratio(whole, unit)
    kind = int(snapshot.kind[row])
    if per == "day":
        return Ratio(whole, int(snapshot.kind_days[kind]) * unit)
    full = int(per_gb(snapshot, days)[kind])
    return None if full <= 0 else Ratio(whole * NOMINAL_MB_PER_GB, full * unit)


def lead(figures: Iterable[tuple[int, Ratio | None]]) -> Lead | None:
    """Which of several (row, figure) is cheapest, and by how much; None where none has a figure.

    Of equal ones the lowest row: the one that would be bought.
    """
    first = following = None
    for row, value in sorted(figures, key=itemgetter(0)):
        if value is None:
            continue
        if first is None or value.is_less_than(first[1]):
            first, following = (row, value), first
        elif following is None or value.is_less_than(following[1]):
            following = (row, value)
    if first is None:
        return None
    if following is None:
        return Lead(first[0], None, None)
    low, high = Fraction(*first[1]), Fraction(*following[1])
    return Lead(first[0], high - low, (high - low) / high)


def _by_name(snapshot: Snapshot, *, triggers: bool) -> list[tuple[str, str]]:
    both = zip(snapshot.country_codes, snapshot.country_names, strict=True)
    places = [place for number, place in enumerate(both) if triggers or not _only_triggers(snapshot, number)]
    return sorted(places, key=lambda place: sort_key(*place))


def _only_triggers(snapshot: Snapshot, number: int) -> bool:
    return bool(snapshot.kind_trigger.any()) and bool(
        snapshot.kind_trigger.take(snapshot.kind.take(snapshot.rows_of_covers(snapshot.covers_of(number)))).all()
    )


def _competing(snapshot: Snapshot, selectable: Array, bucket: Bucket, kinds: Array, code: str) -> Array:
    number = snapshot.country(code)
    if number is None:
        return np.empty(0, dtype=np.int64)
    rows = snapshot.rows_of_covers(snapshot.covers_of(number))
    rows = rows.compress(kinds.take(snapshot.kind.take(rows)))
    return rows if bucket.everything else rows.compress(selectable.take(rows))


def _choice(snapshot: Snapshot, rows: Array) -> Array:
    """What orders rows: cost, then the order of choice, in which rows are numbered."""
    costs = snapshot.cost.take(rows).astype(np.int64)
    return (np.where(costs < 0, _NO_COST, costs) << _ROW_BITS) | rows


def _kinds_of(snapshot: Snapshot, bucket: Bucket) -> Array:
    will = np.ones(snapshot.kinds, dtype=np.bool_) if bucket.triggers else ~snapshot.kind_trigger
    days = snapshot.kind_days
    if bucket.scope is not None:
        will &= snapshot.columns["kind_scope"] == SCOPES.index(bucket.scope.value)
    if bucket.unlimited:
        will &= snapshot.kind_goes_on
    if bucket.data_mb is not None:
        wanted = nominal_mb(bucket.data_mb)
        amounts = totals(snapshot, bucket.days) == wanted if bucket.exact else counted(snapshot, bucket.days) >= wanted
        will &= amounts
    if bucket.days is not None:
        will &= days == bucket.days if bucket.exact else days >= bucket.days
    return will
