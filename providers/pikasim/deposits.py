"""PikaSim's deposits: the ways to fill the wallet, and the page at which an operator pays. Pure.

The page shows the answer of the Stripe call only, and its fields stand beside ``success``; that of BTCPay is read by
the names that its servers use (2026-11), there or under ``data``.
"""

from __future__ import annotations

from providers.kit.text import clean_text
from providers.kit.urls import is_page
from providers.pikasim import wire
from providers.pikasim.mapping import CURRENCY
from schemas.account import DepositSession, DepositWay
from schemas.money import Money

STRIPE, BTCPAY = "stripe", "btcpay"
PATHS = {STRIPE: "/deposit/stripe", BTCPAY: "/deposit/btcpay"}
_PAY = "Pay at the page that the supplier gives; the balance rises once it has the money."
WAYS = (
    DepositWay(STRIPE, "Card, by Stripe", online=True, what_to_do=_PAY, currency=CURRENCY),
    DepositWay(
        BTCPAY,
        "Cryptocurrency, by BTCPay",
        online=True,
        what_to_do=f"{_PAY} A payment on a chain takes minutes to hours.",
        currency=CURRENCY,
    ),
)


def body(amount: Money) -> wire.Deposit:
    """What is asked for, in whole cents. Raises ``ValueError`` for another currency and for parts of a cent."""
    if amount.currency != CURRENCY:
        raise ValueError(f"deposits are made in {CURRENCY}, not in {amount.currency}")
    if amount.amount <= 0:
        raise ValueError("a deposit is more than nothing")
    return wire.Deposit(amount.to_minor())


def session(answer: wire.DepositAnswer, amount: Money) -> DepositSession:
    """Where an operator pays. Raises ``ValueError`` when the answer names no page that can be opened."""
    parts = (answer, answer.data) if answer.data is not None else (answer,)
    url = next(
        (found for part in parts for found in (part.checkout_url, part.checkout_link, part.invoice_url) if found), ""
    )
    if not is_page(url):
        raise ValueError("the answer names no page to pay at")
    names = (found for part in parts for found in (part.session_id, part.invoice_id, part.id) if found is not None)
    return DepositSession(id=clean_text(str(next(names, ""))) or None, url=url, amount=amount)
