"""A gateway that has been at work for a month, made in seconds: offers, price changes, orders and all around them.

Rows that programs decide on (plans, orders, sealed ICCIDs) come from here by COPY; what only has to be many is made
by PostgreSQL itself. Nothing of it is random between two runs.
"""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec
from msgspec.structs import replace

from benchmarks.console_around import around
from gateway.api.examples import example_of
from gateway.catalog.diff_rules import offer_id, offer_key
from gateway.kit.pool import Pool
from gateway.kit.sealing import Seal
from gateway.pricing import fx_rows
from gateway.pricing.rate_files import shipped
from gateway.pricing.rate_rules import Rate
from gateway.suppliers.deps import utc_now
from providers.contract import Capability
from providers.kit.places import country_codes, country_name, regions
from providers.loader import load_manifests
from schemas.api import Plan
from schemas.esim import DataUsage, EsimStatus, ProfileState, ServiceState
from schemas.plan import DataAllowance, Features, Network, Reset, plan_id

PLAN = example_of(Plan)
_SUPPLIERS = 20
_CHANGES_A_RUN = 350
_EVENTS_A_RUN = 70
_SETTINGS = {"requests_per_minute": 600, "base_url": "http://127.0.0.1:9"}
_AMOUNTS = (300, 500, *(1000 * gb for gb in (1, 2, 3, 5, 10, 15, 20, 30, 50)))
_DAYS = (1, 3, 5, 7, 10, 14, 15, 20, 30, 60, 90)
_OFFER_COLUMNS = (
    *("id", "supplier", "supplier_plan_id", "plan_id", "name", "description", "coverage", "data", "days", "starts"),
    *("networks", "features", "cost", "currency", "stock", "visible", "suspect", "good_cost", "good_currency"),
    *("digest", "first_seen_at", "changed_at"),
)
_ORDER_COLUMNS = (
    *("id", "storefront_id", "mode", "kind", "status", "reference", "plan_id", "plan", "price", "currency"),
    *("price_base", "max_cost", "base_currency", "failure_code", "next_poll_at", "created_at", "updated_at"),
    "fulfilled_at",
)
_ATTEMPT_COLUMNS = (
    *("id", "order_id", "n", "kind", "supplier", "supplier_plan_id", "state", "run_id", "signed_at", "deadline"),
    *("quiescent_at", "listed", "charged", "currency", "cost_base", "supplier_order_id", "why", "error_code", "error"),
    *("started_at", "ended_at", "call_ended_at"),
)
_ESIM_COLUMNS = (
    *("id", "order_id", "storefront_id", "mode", "supplier", "supplier_plan_id", "iccid", "iccid_digest"),
    *("activation_code", "created_at", "status", "observed_at", "state_notified"),
)
_AT_ONCE = 20_000
_MANY = ("price_changes", "offer_events", "orders", "attempts", "esims", "ledger", "order_events", "offers")


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    offers: int = 50_000
    changes: int = 1_000_000
    orders: int = 200_000

    @property
    def runs(self) -> int:
        """Syncs, of which each brought so many changes."""
        return max(20, self.changes // _CHANGES_A_RUN)


@dataclass(frozen=True, slots=True)
class _Offer:
    id: str
    supplier: str
    key: str
    plan_id: str
    name: str
    cost: Decimal
    coverage: tuple[str, ...]


def accounts() -> dict[str, dict[str, Any]]:
    """Settings of 20 live accounts at suppliers that are not there: pages never ask one."""
    manifests = [(n, m) for n, m in load_manifests().items() if Capability.CATALOG in m.capabilities]
    made = {}
    for number in range(_SUPPLIERS):
        provider, manifest = manifests[number % len(manifests)]
        name = provider if number < len(manifests) else f"{provider}-{1 + number // len(manifests)}"
        made[name] = {**manifest.sandbox_settings, **_SETTINGS, "provider": provider, "mode": "live"}
    return made


def _rates(day: date) -> list[Rate]:
    """A rate of today for each currency but one, which is of yesterday, and a year of another."""
    today = [replace(rate, as_of=day, source="ecb rates.example.com", kind="fetched") for rate in shipped("USD")]
    (euro,) = (rate for rate in today if rate.currency == "EUR")
    year = [
        replace(euro, as_of=day - timedelta(days=n), rate=euro.rate + Decimal(n % 40) / 1000) for n in range(1, 400)
    ]
    later = [replace(rate, as_of=day - timedelta(days=1)) for rate in today if rate.currency == "TRY"]
    return [*(rate for rate in today if rate.currency != "TRY"), *later, *year]


async def fill(pool: Pool, seal: Seal, size: Size | None = None) -> None:
    """Make it all in an empty migrated database."""
    wanted, dice, now = size or Size(), random.Random(7), utc_now()
    async with pool.acquire() as connection:
        await connection.execute(
            # No foreign keys looked up and no triggers either: what comes in is whole.
            "SET statement_timeout = 0; SET synchronous_commit = off; SET maintenance_work_mem = '256MB';"
            " SET session_replication_role = replica"
        )
        try:
            await fx_rows.write(connection, "USD", _rates(now.date()))
            lira = Rate("TRY", Decimal("0.02"), now.date(), "ecb rates.example.com", "fetched")
            await fx_rows.hold(connection, "USD", [lira])
            indexes = await _without_indexes(connection)
            await _suppliers(connection, wanted.runs, now)
            offers = await _offers(connection, wanted.offers, dice, now)
            await _changes(connection, wanted.changes, wanted.runs)
            await _orders(connection, seal, offers, wanted.orders, dice, now)
            await around(connection, seal, wanted.runs, wanted.orders)
            for index in indexes:
                await connection.execute(index)
            await connection.execute("ANALYZE")
        finally:
            await connection.execute("RESET ALL")


async def _without_indexes(connection: Any) -> list[str]:
    """Drop the indexes that only speed things up; the statements that make them again. Rows come in faster so."""
    found = await connection.fetch(
        """
        SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS made FROM pg_index
        WHERE indrelid = ANY($1::regclass[]) AND NOT indisunique
        """,
        list(_MANY),
    )
    for row in found:
        await connection.execute(f"DROP INDEX {row['name']}")
    return [row["made"] for row in found]


async def _suppliers(connection: Any, runs: int, now: datetime) -> None:
    rows = [(n, a["provider"], "live", now, now, "ok") for n, a in accounts().items()]
    columns = ("name", "provider", "mode", "last_sync_at", "last_good_at", "last_sync_state")
    await connection.copy_records_to_table("suppliers", records=rows, columns=columns)
    await connection.execute(
        """
        INSERT INTO supplier_breakers (supplier, state, failures)
            SELECT name, CASE WHEN name LIKE '%-7' THEN 'open' ELSE 'closed' END, 0 FROM suppliers;
        INSERT INTO supplier_limits (supplier) SELECT name FROM suppliers;
        INSERT INTO storefronts (id, name) SELECT 'sf_' || n, 'Storefront ' || n FROM generate_series(1, 50) n;
        INSERT INTO api_keys (id, storefront_id, mode, scopes, hash, prefix, last_used_at)
            SELECT 'key_' || n, 'sf_' || (1 + n % 50), CASE WHEN n % 3 = 0 THEN 'test' ELSE 'live' END, '{storefront}',
                   sha256(n::text::bytea), 'gw_live_abcd', now() - n * interval '1 min'
            FROM generate_series(1, 200) n
        """
    )
    await connection.execute(
        """
        INSERT INTO sync_runs (id, suppliers, started_at, ended_at, state)
        SELECT 'sync_' || lpad(n::text, 8, '0'), (SELECT array_agg(name ORDER BY name) FROM suppliers),
               now() - ($1 + 1 - n) * interval '15 min', now() - ($1 + 1 - n) * interval '15 min' + interval '70 s',
               CASE WHEN n % 40 = 0 THEN 'partial' ELSE 'ok' END
        FROM generate_series(1, $1::int) n
        """,
        runs,
    )
    await connection.execute(
        """
        INSERT INTO sync_run_suppliers (run_id, supplier, at, state, total, mapped, new, changed, gone, up, down, ms)
        SELECT r.id, s.name, r.started_at + interval '1 min',
               CASE WHEN r.state = 'partial' AND s.name LIKE '%-7' THEN 'failed' ELSE 'ok' END,
               2600, 2500, 2, 16, 1, 9, 7, 3000 + (hashtext(r.id || s.name) & 4095)
        FROM sync_runs r CROSS JOIN suppliers s
        """
    )


async def _offers(connection: Any, count: int, dice: random.Random, now: datetime) -> list[_Offer]:
    made: list[_Offer] = []

    def rows() -> Iterator[tuple[Any, ...]]:
        for offer, row in _offer_rows(count, dice, now):
            made.append(offer)
            yield row

    await _copy(connection, "offers", _OFFER_COLUMNS, rows())
    await connection.execute(
        """
        INSERT INTO plans (id, updated_at) SELECT plan_id, max(changed_at) FROM offers GROUP BY plan_id;
        INSERT INTO set_aside (supplier, supplier_plan_id, name, reason, detail, raw, about, words, cost, currency,
                               first_seen_at)
            SELECT s.name, 'X' || n, 'Bali ' || n || ' 1GB', 'no_such_country', 'Bali ' || n % 120, '{}', 'place',
                   ARRAY['Bali ' || n % 120], 3.5, 'USD', now() - n * interval '1 h'
            FROM suppliers s CROSS JOIN generate_series(1, 100) n
        """
    )
    return made


def _offer_rows(count: int, dice: random.Random, now: datetime) -> Iterator[tuple[_Offer, tuple[Any, ...]]]:
    codes = country_codes()
    weights = list(itertools.accumulate(1 / (n + 20) for n in range(len(codes))))
    names = {tuple(sorted(region.countries)): region.name for region in regions() if len(region.countries) > 1}
    wide = list(names)
    wide += [tuple(sorted(dice.sample(codes, 120))) for _ in range(20)]
    suppliers = list(accounts())
    features = [Features(topup=n % 2 == 0) for n in range(2)]
    for number in range(count):
        coverage = (dice.choices(codes, cum_weights=weights)[0],) if dice.random() < 0.75 else dice.choice(wide)
        mb, days = dice.choice(_AMOUNTS), dice.choice(_DAYS)
        daily = mb < 3000 and dice.random() < 0.1
        text = f"{mb} MB" if mb < 1000 else f"{mb // 1000} GB"
        data = DataAllowance(mb, f"{text} a day", reset=Reset.DAILY) if daily else DataAllowance(mb, text)
        size = mb / 1000 * (days if daily else 1)
        cost = Decimal(int(40 + 90 * size**0.8 * (1 + days / 60) * dice.uniform(0.6, 1.8))) / 100
        supplier = suppliers[number % len(suppliers)]
        key = f"{coverage[0]}-{number}"
        where = country_name(coverage[0]) if len(coverage) == 1 else names.get(coverage, f"{len(coverage)} countries")
        name = f"{where} {data.declared} {days} days"
        offer = _Offer(
            offer_id(offer_key(supplier, key)), supplier, key, plan_id(coverage, data, days), name, cost, coverage
        )
        networks = [
            Network(code, f"Operator {dice.randint(1, 3)}", dice.choice(("4G", "5G"))) for code in coverage[:40]
        ]
        seen = now - timedelta(days=40, seconds=number)
        currency = "EUR" if number % 20 == 0 else "USD"
        yield (
            offer,
            (
                *(offer.id, supplier, key, offer.plan_id, name, ""),
                *(coverage, msgspec.to_builtins(data), days, "install", msgspec.to_builtins(networks)),
                *(msgspec.to_builtins(features[number % 2]), cost, currency, 0 if number % 33 == 0 else None, True),
                *("60 % below" if number % 900 == 0 else None, cost, currency, sha256(key.encode()).digest()[:24]),
                *(seen, now - timedelta(minutes=number % 9000)),
            ),
        )


async def _changes(connection: Any, count: int, runs: int) -> None:
    """Price changes over a month, each offer's own: a step up or down from the one before."""
    await connection.execute(
        """
        CREATE TEMP TABLE numbered AS SELECT row_number() OVER (ORDER BY id) - 1 AS n, supplier, supplier_plan_id,
            plan_id, cost, currency FROM offers;
        CREATE INDEX ON numbered (n)
        """
    )
    await connection.execute(
        """
        INSERT INTO price_changes (supplier, supplier_plan_id, plan_id, old, new, old_currency, new_currency, at,
                                   sync_run_id)
        SELECT o.supplier, o.supplier_plan_id, o.plan_id,
               round(o.cost * (1 + 0.03 * ((k * 7 + o.n) % 11 - 5)), 2),
               round(o.cost * (1 + 0.03 * (((k + 1) * 7 + o.n) % 11 - 5)), 2), o.currency, o.currency,
               now() - (1 + k / $3) * interval '15 min', 'sync_' || lpad(greatest($2 - k / $3, 1)::text, 8, '0')
        FROM generate_series($1::bigint - 1, 0, -1) k
        JOIN numbered o ON o.n = (k * 7919) % (SELECT count(*) FROM numbered)
        """,
        count,
        runs,
        _CHANGES_A_RUN,
    )
    await connection.execute(
        """
        INSERT INTO offer_events (at, supplier, supplier_plan_id, plan_id, kind, cost, currency, sync_run_id)
        SELECT now() - (1 + k / $3) * interval '15 min', o.supplier, o.supplier_plan_id, o.plan_id,
               (ARRAY['new', 'gone', 'back', 'in_stock', 'out_of_stock'])[1 + k % 5], o.cost, o.currency,
               'sync_' || lpad(greatest($2 - k / $3, 1)::text, 8, '0')
        FROM generate_series($1::bigint - 1, 0, -1) k
        JOIN numbered o ON o.n = (k * 104729) % (SELECT count(*) FROM numbered)
        """,
        count // 5,
        runs,
        _EVENTS_A_RUN,
    )


async def _orders(
    connection: Any, seal: Seal, offers: Sequence[_Offer], count: int, dice: random.Random, now: datetime
) -> None:
    """Orders of two months: all but a few delivered, each with its attempt, charge, eSIM and events."""
    sealed = seal.seal("8901000000000000000"), seal.seal("LPA:1$smdp.example.com$MATCHING-ID")
    used = DataUsage(total_mb=5120, used_mb=1700, remaining_mb=3420)
    statuses = {
        state: seal.seal(
            msgspec.json.encode(
                EsimStatus("8901000000000000000", ProfileState.ENABLED, state, now, used, now + timedelta(days=9))
            )
        )
        for state in (ServiceState.ACTIVE, ServiceState.DEPLETED)
    }
    orders: list[tuple[Any, ...]] = []
    attempts: list[tuple[Any, ...]] = []
    esims: list[tuple[Any, ...]] = []
    for number in range(count):
        offer = offers[number * 31 % len(offers)]
        at = now - timedelta(seconds=(count - number) * 26)
        order, storefront = f"ord_{number:024x}", f"sf_{1 + number % 50}"
        left = count - number
        review, failed = left < 60 or number % 9000 == 0, number % 97 == 0
        status = "needs_review" if review else "failed" if failed else "pending" if left % 500 == 61 else "fulfilled"
        done, call_ended = at + timedelta(seconds=2), at + timedelta(milliseconds=dice.randint(80, 900))
        price = (offer.cost * Decimal("1.1")).quantize(Decimal("0.01"))
        plan = {**PLAN, "id": offer.plan_id, "name": offer.name, "countries": offer.coverage}
        orders.append(
            (
                *(order, storefront, "test" if number % 4 == 0 else "live", "esim", status, f"ref-{number}"),
                *(offer.plan_id, plan, price, "USD", price, price, "USD"),
                *("no_stock" if status == "failed" else None, done if status == "pending" else None, at, done),
                done if status == "fulfilled" else None,
            )
        )
        state = {"fulfilled": "succeeded", "failed": "failed", "needs_review": "unknown", "pending": "accepted"}[status]
        attempts.append(
            (
                *(f"att{number:021x}", order, 1, "purchase", offer.supplier, offer.key, state),
                *(uuid.UUID(int=number), at, at + timedelta(seconds=30), at + timedelta(seconds=600)),
                *(offer.cost, offer.cost if status == "fulfilled" else None, "USD", offer.cost, f"so-{number}"),
                *("the lowest cost", "sold_out" if status == "failed" else None, None, at),
                *(
                    done if state in {"succeeded", "failed"} else None,
                    call_ended,
                ),
            )
        )
        if status == "fulfilled":
            digest = seal.digest(f"89{number:017}")
            state = ServiceState.DEPLETED if number % 60 == 0 else ServiceState.ACTIVE
            seen = (statuses[state], done, f"enabled/{state}") if number % 3 == 0 else (None, None, None)
            esims.append(
                (
                    *(f"esim_{number:024x}", order, storefront, orders[-1][2], offer.supplier, offer.key),
                    *(sealed[0], digest, sealed[1], done, *seen),
                )
            )
        if len(orders) == _AT_ONCE or number == count - 1:
            for table, columns, rows in (
                ("orders", _ORDER_COLUMNS, orders),
                ("attempts", _ATTEMPT_COLUMNS, attempts),
                ("esims", _ESIM_COLUMNS, esims),
            ):
                await _copy(connection, table, columns, rows)
                rows.clear()
    await connection.execute(
        """
        INSERT INTO ledger (at, supplier, attempt_id, order_id, kind, amount, currency)
            SELECT started_at, supplier, id, order_id, 'charge', listed, 'USD' FROM attempts WHERE state = 'succeeded';
        INSERT INTO order_events (order_id, at, type) SELECT o.id, o.created_at + n * interval '1 s',
                (ARRAY['admitted', 'attempt_started', 'fulfilled'])[n + 1]
            FROM orders o CROSS JOIN generate_series(0, 2) n;
        INSERT INTO esim_usage (esim_id, at, used_mb, total_mb)
            SELECT id, observed_at - (20 - n) * interval '1 h', n * 85, 5120
            FROM esims CROSS JOIN generate_series(1, 20) n WHERE observed_at IS NOT NULL
        """
    )


async def _copy(connection: Any, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    await connection.copy_records_to_table(table, records=rows, columns=columns, timeout=600)
