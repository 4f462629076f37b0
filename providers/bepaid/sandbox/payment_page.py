"""The payment page of the sandbox, in HTML: a customer pays, is declined, leaves, or waits for the bank. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from providers.bepaid.sandbox.simulator import Outcome, SandboxProduct
from schemas.money import Money

_STYLE = """
:root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5 }
body { margin: 0 auto; max-width: 26rem; padding: 1.5rem 1rem }
main { border: 1px solid color-mix(in srgb, currentColor 30%, transparent); border-radius: .75rem; padding: 1.25rem }
h1 { font-size: 1.25rem; margin: 0 0 .5rem; overflow-wrap: anywhere }
p { margin: .5rem 0; overflow-wrap: anywhere }
.price { font-size: 1.75rem; font-weight: 700 }
.note { border-left: .25rem solid; padding-left: .75rem }
label { display: block; margin: .5rem 0 }
input { box-sizing: border-box; display: block; font: inherit; padding: .5rem; width: 100% }
button, a.button { border: 1px solid; border-radius: .5rem; box-sizing: border-box; cursor: pointer; display: block;
  font: inherit; margin: .75rem 0 0; padding: .75rem; text-align: center; text-decoration: none; width: 100%;
  background: transparent; color: inherit }
button[value=pay] { background: #0b5d3b; border-color: #0b5d3b; color: #fff; font-weight: 700 }
"""
_ENGLISH: Mapping[str, str] = {
    "sandbox": "This is a sandbox: no card is asked for and no money moves.",
    "test": "Test payment",
    "pay": "Pay {price}",
    "decline": "Have the card declined",
    "leave": "Leave without paying",
    "wait": "Have the bank take its time",
    "declined": "The card was declined. Nothing was paid.",
    "left": "Nothing was paid.",
    "waiting": "The bank has not decided yet.",
    "thanks": "Paid. Thank you.",
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
    "declined": "Карта отклонена. Оплаты не было.",
    "left": "Оплаты не было.",
    "waiting": "Банк ещё не принял решение.",
    "thanks": "Оплачено. Спасибо.",
    "paid": "Эта ссылка уже оплачена.",
    "expired": "Срок действия ссылки истёк.",
    "unknown": "Такой ссылки нет.",
    "back": "Вернуться в магазин",
}
_WORDS: Mapping[str, Mapping[str, str]] = {"ru": _RUSSIAN, "be": _RUSSIAN}
# What the page says after each of them.
SAID: Mapping[Outcome, str] = {
    Outcome.PAY: "thanks",
    Outcome.DECLINE: "declined",
    Outcome.LEAVE: "left",
    Outcome.WAIT: "waiting",
}


def page(product: SandboxProduct, action: str, note: str | None = None) -> str:
    """The page on which the product can be paid by a POST to ``action``; ``note`` is a word of ``SAID``."""
    words = _WORDS.get(product.language, _ENGLISH)
    price = str(Money.from_minor(product.amount, product.currency))
    fields = "".join(
        f'<label>{escape(name.replace("_", " ").capitalize())}<input name="{escape(name)}" maxlength="200"></label>'
        for name in product.visible_fields
    )
    buttons = "".join(
        f'<button name="outcome" value="{outcome.value}">{escape(words[outcome.value].format(price=price))}</button>'
        for outcome in Outcome
    )
    test = f"<p>{escape(words['test'])}</p>" if product.test else ""
    return _framed(
        product,
        f"{_note(words, note)}{_goods(product, price)}{test}"
        f'<form method="post" action="{escape(action)}">{fields}{buttons}</form>'
        f"<p><small>{escape(words['sandbox'])}</small></p>",
    )


def ended(product: SandboxProduct, note: str) -> str:
    """The page when there is nothing to be paid: ``note`` says why."""
    words = _WORDS.get(product.language, _ENGLISH)
    price = str(Money.from_minor(product.amount, product.currency))
    back = (
        f'<a class="button" href="{escape(product.return_url)}">{escape(words["back"])}</a>'
        if product.return_url
        else ""
    )
    return _framed(product, f"{_note(words, note)}{_goods(product, price)}{back}")


def unknown() -> str:
    """The page of a link that is none."""
    return _html("en", "bePaid sandbox", f"<p>{escape(_ENGLISH['unknown'])}</p>")


def _goods(product: SandboxProduct, price: str) -> str:
    return f'<p>{escape(product.description)}</p><p class="price">{escape(price)}</p>'


def _note(words: Mapping[str, str], note: str | None) -> str:
    return f'<p class="note" role="status">{escape(words[note])}</p>' if note else ""


def _framed(product: SandboxProduct, body: str) -> str:
    return _html(product.language, product.name, body)


def _html(language: str, title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{body}</main></body></html>"
    )
