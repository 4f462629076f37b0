"""The end of a storm: waiting until nothing is left to do, and reading all the books for the audit."""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from gateway.checkouts import payment_audit_rows
from gateway.inventory.number_rows import same
from gateway.kit.pool import DATABASE_DOWN, Connection, open_pool
from gateway.kit.sealing import Seal
from providers.loader import load_manifests
from tests.chaos import audit, audit_payments
from tests.chaos.audit import Seen
from tests.chaos.audit_payments import Paid
from tests.chaos.machine import NO_BALANCE_SECONDS, OUT_OF_STOCK_SECONDS, PAYMENTS, SUPPLIERS, Machine
from tests.chaos.offers_left import ATTEMPTS, OFFERS, ORDERS, failed_with_offer_left
from tests.chaos.storefront import Storefront

_ORDERS = "SELECT id, kind, status, checkout_id, coalesce((plan->>'quantity')::int, 1) AS units FROM orders"
_ATTEMPTS = """SELECT id, order_id, kind, supplier, state, error_code, supplier_order_id, item, signed_at, deadline
    FROM attempts"""
_LEDGER = "SELECT attempt_id, kind, amount FROM ledger"
_KEYS = "SELECT key, coalesce(order_id, checkout_id) AS made FROM idempotency_keys"
_STATUS = "CASE WHEN open_cases > 0 THEN 'needs_review' ELSE state END"
_CHECKOUTS = f"SELECT id, {_STATUS} AS status, mode, price, currency, link_id, expires_at FROM checkouts"
_PAYMENTS = "SELECT id, payment_id, checkout_id, state, amount, currency, accepted FROM payments"
_CASES = "SELECT id, checkout_id, payment_id, reason, closed_at FROM payment_cases"
_BUSY = f"""SELECT (SELECT count(*) FROM orders WHERE status <> ALL($1))
    + (SELECT count(*) FROM checkouts WHERE {_STATUS} <> ALL($2))
    + (SELECT count(*) FROM payments WHERE settled_at IS NULL)"""


@dataclass(frozen=True)
class End:
    """What the audit sees, the suppliers' whole truth, and secrets that only our rows have."""

    seen: Seen
    truth: Mapping[str, Any]
    sold: list[Any]
    serials: list[str]
    offer_left: dict[str, list[str]]


async def until_at_rest(machine: Machine, seconds: float) -> None:
    """Wait until nothing is left to do; the audit tells what was not done by then."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            connection = await asyncpg.connect(machine.database_url)
            try:
                busy = await connection.fetchval(_BUSY, sorted(audit.AT_REST), sorted(audit_payments.AT_REST))
            finally:
                await connection.close()
            if not busy and all_told(machine.ask(PAYMENTS, "truth")["payments"]):
                return
        except DATABASE_DOWN:
            pass
        await asyncio.sleep(0.5)


def all_told(payments: list[Any]) -> bool:
    """Whether no notification is still on its way."""
    moved = (one for one in payments if one["status"] == "successful")
    return all(one["told"] or "notice_never" in one["triggers"] for one in moved)


async def look(machine: Machine, front: Storefront) -> End:
    """Read everything."""
    seal = Seal([machine.secret_key])
    pool = await open_pool(machine.database_url, name="chaos", max_size=1)
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        # Ours first: a charge that comes after it belongs to an attempt that is open here.
        rows = {
            name: [dict(row) for row in await connection.fetch(query)]
            for name, query in (("orders", _ORDERS), ("attempts", _ATTEMPTS), ("ledger", _LEDGER), ("keys", _KEYS))
        }
        esims = [
            {"order_id": row["order_id"], "supplier": row["supplier"], "iccid": seal.open_text(row["iccid"])}
            for row in await connection.fetch("SELECT order_id, supplier, iccid FROM esims")
        ]
        goods, serials = await _goods(connection, seal)
        ours = {
            name: [dict(row) for row in await connection.fetch(query)]
            for name, query in (("checkouts", _CHECKOUTS), ("ours", _PAYMENTS), ("cases", _CASES))
        }
        offer_left = await _offer_left(connection)
        unaccounted = [one.payment_id for one in await payment_audit_rows.unaccounted(connection)]
        unpaid = await payment_audit_rows.unpaid(connection)
    await pool.close()
    truth = {name: machine.ask(name, "truth") for name in SUPPLIERS}
    payments = machine.ask(PAYMENTS, "truth")
    seen = Seen(
        charges={name: [_dated(charge) for charge in told["charges"]] for name, told in truth.items()},
        orders=rows["orders"],
        attempts=rows["attempts"],
        ledger=rows["ledger"],
        esims=esims,
        keys={row["key"]: row["made"] for row in rows["keys"]},
        promised={one.key: one.made for one in front.wanted if one.made is not None},
        goods=goods,
        paid=Paid(payments["products"], payments["payments"], **ours, unaccounted=unaccounted, unpaid=unpaid),
    )
    sold = [esim for name in SUPPLIERS for esim in machine.ask(name, "esims")["esims"]]
    return End(seen, truth, sold, serials, offer_left)


async def _offer_left(connection: Connection) -> dict[str, list[str]]:
    """The failed orders for which a supplier would still have sold an eSIM."""
    return failed_with_offer_left(
        [dict(row) for row in await connection.fetch(ORDERS)],
        [dict(row) for row in await connection.fetch(ATTEMPTS)],
        [dict(row) for row in await connection.fetch(OFFERS)],
        offer_rests=timedelta(seconds=OUT_OF_STOCK_SECONDS),
        supplier_rests=timedelta(seconds=NO_BALANCE_SECONDS),
        tolerances={name: manifest.charge_tolerance for name, manifest in load_manifests().items()},
    )


def secrets_of(machine: Machine, front: Storefront, end: End) -> dict[str, list[str]]:
    """Everything that may stand in no log line, by kind."""
    accounts = machine.accounts()
    charges = {name: told["charges"] for name, told in end.truth.items()}
    shop = f"{accounts[PAYMENTS]['shop_id']}:{accounts[PAYMENTS]['secret_key']}"
    return {
        "activation codes": [code for esim in end.sold for code in (esim["text_code"], esim["picture_code"])],
        "matching ids": [esim["picture_code"].split("$")[2] for esim in end.sold],
        "ICCIDs": [esim["iccid"] for esim in end.sold],
        "e-mail addresses": [*front.emails, *(c["details"].get("email", "") for c in charges["beppay"])],
        "telephone numbers": [*(same(n) for c in charges["beppay"] for n in c["given"]), *map(same, front.phones)],
        "PINs": [pin for charge in charges["s2s"] for pin in charge["given"]],
        **({"serials": end.serials} if end.serials else {}),  # half of the vouchers have one
        "keys": [front.api_key, *(str(a[n]) for a in accounts.values() for n in ("api_key", "token") if n in a)],
        "secrets": [
            machine.secret_key,
            *(str(a[n]) for a in accounts.values() for n in ("partner_secret", "webhook_secret") if n in a),
        ],
        "payment secrets": [str(accounts[PAYMENTS]["secret_key"]), b64encode(shop.encode()).decode()],
    }


async def _goods(connection: Connection, seal: Seal) -> tuple[list[dict[str, Any]], list[str]]:
    """Numbers and codes as they were delivered, and the serials beside the codes."""
    numbers = await connection.fetch("SELECT order_id, supplier, phone_number FROM numbers")
    codes = await connection.fetch("SELECT order_id, supplier, pin, serial FROM voucher_codes")
    found = [
        {
            "order_id": row["order_id"],
            "supplier": row["supplier"],
            "kind": "number",
            "secret": same(seal.open_text(row["phone_number"])),
        }
        for row in numbers
    ]
    found += [
        {
            "order_id": row["order_id"],
            "supplier": row["supplier"],
            "kind": "voucher",
            "secret": None if row["pin"] is None else seal.open_text(row["pin"]),
        }
        for row in codes
    ]
    return found, [seal.open_text(row["serial"]) for row in codes if row["serial"] is not None]


def _dated(charge: dict[str, Any]) -> dict[str, Any]:
    return {**charge, "at": datetime.fromisoformat(charge["at"])}
