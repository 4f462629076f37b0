"""What an offer cost over time, from what was recorded of it: steps, and the spans nobody looked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from schemas.money import Money


class Recorded(msgspec.Struct, frozen=True):
    """One row of what was recorded. ``event`` None is a cost that went from ``old`` to ``new``."""

    at: datetime
    event: str | None
    old: Money | None = None
    new: Money | None = None


class CurrentOffer(msgspec.Struct, frozen=True):
    """The offer as it stands today; ``gone_at`` is when it left."""

    cost: Money | None
    first_seen_at: datetime
    gone_at: datetime | None = None


class PriceStep(msgspec.Struct, frozen=True):
    """From ``at`` on it cost this; not offered when ``there`` is False."""

    at: datetime
    cost: Money | None
    there: bool = True


class Span(msgspec.Struct, frozen=True):
    """From one moment to another."""

    since: datetime
    until: datetime


def stairs(offer: CurrentOffer, recorded: Iterable[Recorded], since: datetime) -> list[PriceStep]:
    """The steps from ``since`` on, the oldest first; the last one holds until now.

    ``recorded`` is everything since then, the oldest first. What stood before is what the first change
    came from; where nothing changed, it is what stands now. None when the offer was gone all the time.
    """
    rows = list(recorded)
    prices = [row for row in rows if row.event is None]
    cost = prices[0].old if prices else offer.cost
    there = _there_at(offer, rows, since)
    steps = [PriceStep(since, cost, there)] if there else []
    if not there and offer.first_seen_at > since:
        rows = sorted([*rows, Recorded(offer.first_seen_at, "new")], key=lambda row: row.at)
    if offer.gone_at is not None and offer.gone_at > since:
        rows = sorted([*rows, Recorded(offer.gone_at, "gone")], key=lambda row: row.at)
    for row in rows:
        if row.event is None:
            cost, there = row.new, True
        elif row.event in {"new", "back"}:
            there = True
        elif row.event == "gone":
            there = False
        else:
            continue
        step = PriceStep(row.at, cost if there else None, there)
        if steps and steps[-1].at == step.at:
            steps[-1] = step
        elif not steps or (steps[-1].cost, steps[-1].there) != (step.cost, step.there):
            steps.append(step)
    return steps if any(step.there for step in steps) else []


def gaps(spans: Sequence[Span], since: datetime, until: datetime, longest: timedelta) -> list[Span]:
    """Spans between two good looks that are longer than allowed, cut to what is shown."""
    return [
        Span(max(span.since, since), min(span.until, until))
        for span in spans
        if span.until - span.since > longest and span.until > since and span.since < until
    ]


def _there_at(offer: CurrentOffer, rows: Sequence[Recorded], at: datetime) -> bool:
    """Whether the offer was listed then, by what happened to it next: only what is listed changes or goes."""
    if offer.first_seen_at > at:
        return False
    if rows:
        return rows[0].event not in {"new", "back"}
    return offer.gone_at is None or offer.gone_at > at
