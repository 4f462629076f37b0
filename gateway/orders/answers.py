"""What a product asked the customer for: opened for the purchase, and taken out of what suppliers say of it."""

from __future__ import annotations

import msgspec

from gateway.orders import order_state_rows
from gateway.orders.order_rows import AttemptRow
from gateway.orders.rules.plausible import LONGEST_TEXT
from gateway.orders.rules.verdicts import Verdict
from gateway.suppliers.deps import Deps
from providers.kit.redaction import Redactor
from schemas.order import GoodWanted

_FEWEST_DIGITS = 6  # fewer are no telephone number or account that could be told from other figures


def answers_in(deps: Deps, sealed: bytes | None) -> dict[str, str]:
    """An order's answers by field; none where nothing was asked, or where they were erased."""
    return {} if sealed is None else msgspec.json.decode(deps.seal.open(sealed), type=dict[str, str])


def answer_texts(answers: dict[str, str]) -> tuple[str, ...]:
    """What must not be repeated: each answer as it was typed, and its figures alone where it has enough of them."""
    texts = dict.fromkeys(answers.values())
    for text in answers.values():
        digits = "".join(letter for letter in text if letter.isdigit())
        if len(digits) >= _FEWEST_DIGITS:
            texts[digits] = None
    return tuple(texts)


async def texts_of_attempt(deps: Deps, attempt: AttemptRow) -> tuple[str, ...]:
    """Those of the order that an attempt is for."""
    if not isinstance(attempt.item, GoodWanted):
        return ()
    return answer_texts(answers_in(deps, await order_state_rows.fields_of(deps.pool, attempt.order_id)))


def without_answers(verdict: Verdict, texts: tuple[str, ...]) -> Verdict:
    """The verdict, its words without the customer's."""
    if not texts:
        return verdict
    redact = Redactor(texts)
    return msgspec.structs.replace(
        verdict,
        error=None if verdict.error is None else redact(verdict.error, LONGEST_TEXT),
        review=None if verdict.review is None else redact(verdict.review, LONGEST_TEXT),
    )
