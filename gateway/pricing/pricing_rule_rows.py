"""Pricing rules as rows: read whole, for there are at most some hundred, and kept in a gapless order."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import asyncpg
import msgspec

from gateway.kit.pool import Connection, Pool
from gateway.pricing.fx_rows import NEWEST
from gateway.pricing.price_rules import PriceRule
from gateway.pricing.pricing_rules import Conditions, Rule
from gateway.pricing.rate_rules import Rate
from schemas.plan import Scope

_SUCCESSORS = """ARRAY(SELECT DISTINCT t.successor FROM plan_successors t WHERE t.plan_id = ANY (r.plan_ids)
    ORDER BY 1) AS successors"""
_RULES = f"""
    SELECT r.*, s.name AS storefront, {_SUCCESSORS}
    FROM pricing_rules r LEFT JOIN storefronts s ON s.id = r.storefront_id
"""  # noqa: S608 - our own words


class StoredRule(msgspec.Struct, frozen=True):
    """A rule with the name of its storefront and its times."""

    rule: Rule
    storefront: str | None
    created_at: datetime
    updated_at: datetime


async def rules(connection: Connection | Pool) -> list[Rule]:
    """The rules that are in force or will be, in order."""
    rows = await connection.fetch(
        f"SELECT r.*, {_SUCCESSORS} FROM pricing_rules r"  # noqa: S608 - our own words
        " WHERE enabled AND (valid_until IS NULL OR valid_until > now()) ORDER BY position"
    )
    return [_rule(row) for row in rows]


class RulesAndRates(msgspec.Struct, frozen=True):
    """The rules, the newest rates, and the version of the catalogue that they were read at, None without one."""

    rules: list[Rule]
    rates: list[Rate]
    version: tuple[int, int, int] | None


async def with_rates(connection: Connection | Pool, base: str, since: date, day: date) -> RulesAndRates:
    """The rules that are in force or will be, and the newest rate of each currency between two days.

    Most gateways have no rule at all: then that is learnt together with the rates.
    """
    rows = await connection.fetch(
        f"""SELECT r.*, EXISTS (SELECT FROM pricing_rules WHERE enabled) AS ruled,
                   ARRAY[c.content, c.overlay, c.pricing] AS version
            FROM catalog_state c LEFT JOIN ({NEWEST}) r ON true""",  # noqa: S608 - our own words
        base,
        since,
        day,
    )
    # A rule that changes between the two statements changes the version too: the first one's is the older of both.
    found = await rules(connection) if not rows or rows[0]["ruled"] else []
    version = tuple(rows[0]["version"]) if rows else None
    known = [
        Rate(row["currency"], row["rate"], row["as_of"], row["source"], row["kind"]) for row in rows if row["currency"]
    ]
    return RulesAndRates(found, known, version)


async def every(connection: Connection | Pool) -> list[StoredRule]:
    """All rules, in order."""
    return [_stored(row) for row in await connection.fetch(_RULES + "ORDER BY r.position")]


async def find(connection: Connection | Pool, rule_id: str) -> StoredRule | None:
    """A rule by its id."""
    row = await connection.fetchrow(_RULES + "WHERE r.id = $1", rule_id)
    return None if row is None else _stored(row)


async def lock(connection: Connection) -> None:
    """Be the only one who changes rules until this transaction ends; reading goes on."""
    await connection.execute("LOCK TABLE pricing_rules IN SHARE ROW EXCLUSIVE MODE")


def new_id() -> str:
    """A rule's id."""
    return f"pr_{secrets.token_hex(8)}"


async def insert(connection: Connection, rule: Rule) -> None:
    """Put a rule at its number; those behind move on. Call ``lock`` before."""
    await connection.execute("UPDATE pricing_rules SET position = position + 1 WHERE position >= $1", rule.number)
    await connection.execute(
        """INSERT INTO pricing_rules (id, position, name, enabled, storefront_id, supplier, countries, region, scope,
               min_data_mb, max_data_mb, unlimited, plan_ids, valid_from, valid_until, percent, fixed, minimum_margin,
               floor, ceiling, rounding, currency)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
        """,
        rule.id,
        rule.number,
        *_values(rule),
    )


async def update(connection: Connection, rule: Rule) -> None:
    """Write a rule over the one with its id; its place stays."""
    await connection.execute(
        """UPDATE pricing_rules SET name = $2, enabled = $3, storefront_id = $4, supplier = $5, countries = $6,
               region = $7, scope = $8, min_data_mb = $9, max_data_mb = $10, unlimited = $11, plan_ids = $12,
               valid_from = $13, valid_until = $14, percent = $15, fixed = $16, minimum_margin = $17, floor = $18,
               ceiling = $19, rounding = $20, currency = $21, updated_at = now()
           WHERE id = $1""",
        rule.id,
        *_values(rule),
    )


async def remove(connection: Connection, rule_id: str) -> None:
    """Take a rule out; those behind move up. Call ``lock`` before."""
    position = await connection.fetchval("DELETE FROM pricing_rules WHERE id = $1 RETURNING position", rule_id)
    await connection.execute("UPDATE pricing_rules SET position = position - 1 WHERE position > $1", position)


async def put_in_order(connection: Connection, ids: Sequence[str]) -> None:
    """Number the rules as their ids stand here: all of them. Call ``lock`` before."""
    await connection.execute(
        """UPDATE pricing_rules r SET position = o.place FROM unnest($1::text[]) WITH ORDINALITY AS o (id, place)
           WHERE r.id = o.id AND r.position <> o.place""",
        list(ids),
    )


async def storefront_id(connection: Connection | Pool, name: str) -> str | None:
    """The id of a storefront by its name."""
    found: str | None = await connection.fetchval("SELECT id FROM storefronts WHERE name = $1", name)
    return found


async def storefronts(connection: Connection | Pool) -> dict[str, str]:
    """The names of all storefronts by id, in the order of names."""
    rows = await connection.fetch("SELECT id, name FROM storefronts ORDER BY name")
    return {row["id"]: row["name"] for row in rows}


def _values(rule: Rule) -> tuple[Any, ...]:
    when, price = rule.when, rule.price
    return (
        rule.name,
        rule.enabled,
        when.storefront,
        when.supplier,
        list(when.countries),
        when.region,
        None if when.scope is None else when.scope.value,
        when.min_data_mb,
        when.max_data_mb,
        when.unlimited,
        list(when.plan_ids),
        rule.valid_from,
        rule.valid_until,
        price.percent,
        price.fixed,
        price.minimum_margin if rule.own_margin else None,
        price.floor,
        price.ceiling,
        price.rounding,
        price.currency,
    )


def _stored(row: asyncpg.Record) -> StoredRule:
    return StoredRule(_rule(row), row["storefront"], row["created_at"], row["updated_at"])


def _rule(row: asyncpg.Record) -> Rule:
    margin = row["minimum_margin"]
    amounts = {"percent": row["percent"], "fixed": row["fixed"], "floor": row["floor"], "ceiling": row["ceiling"]}
    price = PriceRule(**amounts, rounding=row["rounding"], currency=row["currency"])
    return Rule(
        id=row["id"],
        number=row["position"],
        name=row["name"],
        when=Conditions(
            storefront=row["storefront_id"],
            supplier=row["supplier"],
            countries=tuple(row["countries"]),
            region=row["region"],
            scope=None if row["scope"] is None else Scope(row["scope"]),
            min_data_mb=row["min_data_mb"],
            max_data_mb=row["max_data_mb"],
            unlimited=row["unlimited"],
            plan_ids=tuple(row["plan_ids"]),
            successors=tuple(row["successors"]),
        ),
        price=price if margin is None else msgspec.structs.replace(price, minimum_margin=margin),
        enabled=row["enabled"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        own_margin=margin is not None,
    )


async def count(connection: Connection | Pool) -> int:
    """How many rules there are."""
    number: int = await connection.fetchval("SELECT count(*) FROM pricing_rules")
    return number


async def has_supplier(connection: Connection | Pool, name: str) -> bool:
    """Whether a rule can name this supplier: its account is or was configured."""
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM suppliers WHERE name = $1)", name))
