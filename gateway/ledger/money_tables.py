"""Our money at the suppliers as tables: CSV of the console, CSV and terminal of the command line."""

from __future__ import annotations

from gateway.kit.sheet import Column, columns

MONEY = columns(
    "supplier=balance.supplier, balance=balance.balance:amount, spendable=balance.spendable:amount",
    "currency=balance.spendable.currency:csv, room=balance.room:amount, room currency=balance.room.currency:csv",
    "reserved=balance.reserved:amount, credit=balance.credit:amount, spent a day=balance.spent_per_day:amount",
    Column(
        "wallets",
        lambda row: ", ".join(f"{wallet.name}: {wallet.amount}" for wallet in row.balance.wallets) or None,
        ["terminal"],
    ),
    "days left=balance.days_left, seen at=balance.at, books up to=books.whole_to",
    Column("why none", lambda row: row.balance.why_none or row.balance.error, ["terminal"]),
)
LEDGER = columns(
    "at, kind, verdict:csv, why:csv",
    Column("verdict", lambda row: " ".join(dict.fromkeys(filter(None, (row.verdict, row.why)))), ["terminal"]),
    "theirs:amount, ours:amount",
    Column("currency", lambda row: getattr(row.theirs or row.ours, "currency", None), ["csv"]),
    "order=order_id, supplier order=supplier_order_id, movement",
)
TRANSACTIONS = columns("at, supplier, kind, amount:money, order=supplier_order_id, transaction=transaction_id")
DEPOSITS = columns(
    "begun=begun_at, by=begun_by, supplier, way, amount:money, state",
    Column("page", lambda row: row.url if row.state == "begun" else row.error),
)
