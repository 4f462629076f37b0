"""The payment page of the sandbox, in HTML: a customer pays, is declined, leaves, or waits for the bank. Pure."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, Template

from providers.simulator.payment.simulator import Outcome, SandboxProduct
from schemas.money import Money

_ENGLISH: Mapping[str, str] = {
    "sandbox": "This is a sandbox: no card is asked for and no money moves.",
    "test": "Test payment",
    "pay": "Pay {price}",
    "decline": "Have the card declined",
    "leave": "Leave without paying",
    "wait": "Have the bank take its time",
    "after_decline": "The card was declined. Nothing was paid.",
    "after_leave": "Nothing was paid.",
    "after_wait": "The bank has not decided yet.",
    "after_pay": "Paid. Thank you.",
    "paid": "This link was paid already.",
    "expired": "This link has expired.",
    "unknown": "There is no such link.",
    "back": "Back to the shop",
}
_RUSSIAN: Mapping[str, str] = {
    "sandbox": "Это песочница: карта не нужна, деньги не списываются.",
    "test": "Тестовый платёж",
    "pay": "Оплатить {price}",
    "decline": "Отклонить карту",
    "leave": "Уйти без оплаты",
    "wait": "Банк пока не решил",
    "after_decline": "Карта отклонена. Оплаты не было.",
    "after_leave": "Оплаты не было.",
    "after_wait": "Банк ещё не принял решение.",
    "after_pay": "Оплачено. Спасибо.",
    "paid": "Эта ссылка уже оплачена.",
    "expired": "Срок действия ссылки истёк.",
    "unknown": "Такой ссылки нет.",
    "back": "Вернуться в магазин",
}
_TEXTS: Mapping[str, Mapping[str, str]] = {"ru": _RUSSIAN, "be": _RUSSIAN}


def page(supplier: str, product: SandboxProduct | None, note: str | None = None, action: str | None = None) -> str:
    """The page of a link, None for one that is none; with ``action`` it can be paid by a POST there.

    ``note`` is the key of what it says first: why it cannot be paid, or ``after_`` and an outcome.
    """
    texts = _TEXTS.get(product.language if product else "", _ENGLISH)
    price = Money.from_minor(product.amount, product.currency) if product else None
    outcomes = [outcome.value for outcome in Outcome]
    return _template().render(
        supplier=supplier, product=product, note=note, action=action, words=texts, price=price, outcomes=outcomes
    )


@functools.cache
def _template() -> Template:
    return Environment(loader=PackageLoader(__package__, "."), autoescape=True).get_template("page.html")
