"""The offers of a mode as the price guard measures them, and the marks of those that cannot be right."""

from __future__ import annotations

import struct
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import numpy as np

from gateway.catalog.diff_rules import offer_id
from gateway.kit.pool import Connection
from gateway.pricing.market_rules import OFFER, SENT, Offers
from gateway.pricing.suspect_rules import BESIDE_OTHERS, HEALED_BY_TIME, Suspicion

SECONDS = 600


class SupplierRow(msgspec.Struct, frozen=True):
    """A configured supplier to the price guard; ``passed``: some sync of it passed or was accepted.

    ``number`` and ``provider_number`` stand for it and its provider in the offers.
    """

    number: int
    provider_number: int
    name: str
    provider: str
    mode: str
    passed: bool
    quarantined: str | None
    accepted_faults: list[str]
    sells: bool


class Scale(NamedTuple):
    """What currencies are worth in base currency, and the nominal MB a day of unlimited plans that state nothing."""

    worth: Mapping[str, Decimal]
    assumed_mb_per_day: int


_RULES = ", ".join(f"'{rule}'" for rule in BESIDE_OTHERS)
# One row as ``market_rules.SENT`` has it.
_ROW = f"""decode(substr(o.id, 5), 'hex') || o.measure || float8send((o.cost * r.rate)::float8) || s.numbers
    || boolsend(s.sells AND o.visible AND coalesce(o.stock > 0, true) AND m.supplier IS NULL)
    || boolsend(o.cost IS DISTINCT FROM o.released_cost)
    || CASE WHEN o.suspect IS NULL THEN '\\x00'::bytea
            WHEN split_part(o.suspect, ':', 1) IN ({_RULES}) THEN '\\x02' ELSE '\\x01' END"""
_FROM = """JOIN unnest($1::text[], $2::bytea[], $3::boolean[]) AS s (name, numbers, sells) ON s.name = o.supplier
    JOIN unnest($4::text[], $5::numeric[]) AS r (currency, rate) ON r.currency = o.currency
    LEFT JOIN (SELECT DISTINCT supplier, supplier_plan_id FROM offer_marks WHERE until IS NULL OR until > now()) AS m
        ON m.supplier = o.supplier AND m.supplier_plan_id = o.supplier_plan_id"""
# What a walk makes of a supplier's list before it is written: what is staged, and what stands unchanged.
_STAGED = """(
    SELECT i.id, i.measure, $6::text AS supplier, i.supplier_plan_id, i.cost, i.currency, i.stock, i.visible,
           CASE WHEN o.currency = i.currency THEN o.released_cost END AS released_cost,
           CASE WHEN (i.cost, i.currency) IS NOT DISTINCT FROM (o.cost, o.currency) THEN o.suspect ELSE i.suspect END
               AS suspect
    FROM incoming i LEFT JOIN offers o USING (id)
    UNION ALL
    SELECT o.id, o.measure, o.supplier, o.supplier_plan_id, o.cost, o.currency, o.stock, o.visible, o.released_cost,
           o.suspect
    FROM offers o WHERE o.supplier = $6 AND o.gone_at IS NULL AND o.id <> ALL($7::text[])
      AND NOT EXISTS (SELECT FROM incoming i WHERE i.id = o.id)) AS o"""


async def suppliers(connection: Connection, expire_after_seconds: int) -> list[SupplierRow]:
    """Every configured supplier, by name; ``sells``: nothing keeps all of its offers from sale but a quarantine."""
    rows = await connection.fetch(
        """
        SELECT row_number() OVER (ORDER BY name)::int AS number,
               dense_rank() OVER (ORDER BY provider)::int AS provider_number, name, provider, mode,
               passed_at IS NOT NULL AS passed, quarantined, accepted_faults,
               state = 'active' AND coalesce(last_good_at > now() - make_interval(secs => $1), false) AS sells
        FROM suppliers WHERE configured ORDER BY name
        """,
        float(expire_after_seconds),
    )
    return [SupplierRow(**row) for row in rows]


async def offers(connection: Connection, scale: Scale, rows: Sequence[SupplierRow]) -> Offers:
    """What stands of these suppliers. Read one after the other: a mode's offers in one piece are much memory."""
    lists = []
    for row in rows:
        found = await connection.fetchval(
            f"""SELECT string_agg({_ROW}, '') FROM offers o {_FROM}
                WHERE o.supplier = $6 AND o.gone_at IS NULL AND o.cost IS NOT NULL""",  # noqa: S608 - the words above
            *_numbered([row]),
            *_rates(scale),
            row.name,
            timeout=SECONDS,
        )
        lists.append(_read(found, scale))
    return np.concatenate(lists) if lists else _read(b"", scale)


async def staged(connection: Connection, scale: Scale, row: SupplierRow, gone: Sequence[str]) -> Offers:
    """A supplier's list as its walk would leave it; after ``Staging.copy_to``. ``gone`` are ids that vanished."""
    found = await connection.fetchval(
        f"SELECT string_agg({_ROW}, '') FROM {_STAGED} {_FROM} WHERE o.cost IS NOT NULL",  # noqa: S608 - the words above
        *_numbered([row]),
        *_rates(scale),
        row.name,
        gone,
        timeout=SECONDS,
    )
    return _read(found, scale)


async def touched_since(connection: Connection, since: datetime) -> bool:
    """Whether something happened to a plan from this time on."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM plans WHERE updated_at >= $1)", since))


async def mark(connection: Connection, found: Mapping[bytes, Suspicion], run_id: str, began_at: datetime) -> list[str]:
    """Mark offers, by their keys, that are not suspect yet; the ids of those that now are.

    A cost that came with this very run (which began then) was never good: what was good before it
    counts again.
    """
    rows = await connection.fetch(
        """
        UPDATE offers o SET suspect = r.reason, suspect_since = now(),
            suspect_against = string_to_array(nullif(r.against, ''), ','),
            good_cost = CASE WHEN fresh THEN o.prior_good_cost ELSE o.good_cost END,
            good_currency = CASE WHEN fresh THEN o.prior_good_currency ELSE o.good_currency END
        FROM (
            SELECT i.id, i.reason, i.against, o.first_seen_at >= $5 OR EXISTS (
                SELECT FROM price_changes p WHERE p.sync_run_id = $4
                AND p.supplier = o.supplier AND p.supplier_plan_id = o.supplier_plan_id) AS fresh
            FROM unnest($1::text[], $2::text[], $3::text[]) AS i (id, reason, against) JOIN offers o USING (id)
            WHERE o.suspect IS NULL
        ) AS r
        WHERE o.id = r.id RETURNING o.id
        """,
        *arrays_of(found),
        run_id,
        began_at,
        timeout=SECONDS,
    )
    return [row["id"] for row in rows]


async def clear(connection: Connection, keys: Collection[bytes]) -> list[str]:
    """These are back within bounds: their present cost is good. Their ids."""
    ids = [offer_id(key) for key in keys]
    await connection.execute(
        "UPDATE offers SET suspect = NULL, suspect_since = NULL, suspect_against = NULL, good_cost = cost,"
        " good_currency = currency WHERE id = ANY($1::text[])",
        ids,
        timeout=SECONDS,
    )
    return ids


async def heal(connection: Connection, days: int, share: float) -> list[str]:
    """Believe the prices below the others' that stood unchanged for so long; the ids of the offers.

    Only of suppliers of whose offers fewer than ``share`` are suspect.
    """
    rows = await connection.fetch(
        """
        WITH few AS (
            SELECT supplier FROM offers WHERE gone_at IS NULL
              AND supplier IN (SELECT supplier FROM offers WHERE suspect IS NOT NULL AND gone_at IS NULL
                               AND suspect_since < now() - make_interval(days => $1))
            GROUP BY supplier HAVING count(suspect) < $2::float8 * count(*)
        )
        UPDATE offers o SET suspect = NULL, suspect_since = NULL, suspect_against = NULL, good_cost = cost,
               good_currency = currency, released_cost = cost
        FROM few WHERE few.supplier = o.supplier AND o.gone_at IS NULL
          AND split_part(o.suspect, ':', 1) = ANY($3::text[])
          AND o.suspect_since < now() - make_interval(days => $1)
        RETURNING o.id
        """,
        days,
        share,
        list(HEALED_BY_TIME),
        timeout=SECONDS,
    )
    return [row["id"] for row in rows]


async def date_plans_of(connection: Connection, ids: Collection[str], at: datetime) -> None:
    """Date the plans of these offers: what is sold of them changed."""
    await connection.execute(
        "UPDATE plans SET updated_at = $2 WHERE id IN (SELECT plan_id FROM offers WHERE id = ANY($1::text[]))",
        list(ids),
        at,
        timeout=SECONDS,
    )


def arrays_of(found: Mapping[bytes, Suspicion]) -> tuple[list[str], list[str], list[str]]:
    """Ids, reasons, and the ids of what each was compared with, divided by commas."""
    return (
        [offer_id(key) for key in found],
        [suspicion.reason for suspicion in found.values()],
        [",".join(map(offer_id, suspicion.compared_with)) for suspicion in found.values()],
    )


def _numbered(rows: Sequence[SupplierRow]) -> tuple[list[str], list[bytes], list[bool]]:
    return (
        [row.name for row in rows],
        [struct.pack(">ii", row.number, row.provider_number) for row in rows],
        [row.sells for row in rows],
    )


def _rates(scale: Scale) -> tuple[list[str], list[Decimal]]:
    return [*scale.worth], [*scale.worth.values()]


def _read(sent: Any, scale: Scale) -> Offers:
    found = np.frombuffer(sent or b"", dtype=SENT)
    offers = np.empty(len(found), dtype=OFFER)
    for name in SENT.names or ():
        offers[name] = found[name]
    offers["stated"] = ~np.isnan(offers["mb"])
    unstated = ~offers["stated"]
    offers["mb"][unstated] = float(scale.assumed_mb_per_day) * offers["days"][unstated]
    return offers
