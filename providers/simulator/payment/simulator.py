"""The payment simulator: products behind payment links, what was paid for them, and the notifications that were sent.

What one payment supplier says of them is in its ``PaymentRules`` and in the routes of its sandbox.
"""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from providers.simulator.engine import Simulator
from providers.simulator.payment.triggers import OF_CREATION, OF_PAYMENT, PaymentTrigger, PaymentTriggerKind
from providers.simulator.records import JsonLines
from providers.simulator.webhooks import WebhookRules

PAYMENT, AUTHORIZATION, REFUND = "payment", "authorization", "refund"
_TOO_LATE = timedelta(minutes=1)
_NOTIFIED = frozenset({"genuine", "copy"})
_DELIVERY_SECONDS = 10.0
# What a trigger of one payment does to its own notification alone.
_SPOILT_NOTICES: Mapping[PaymentTriggerKind, Mapping[str, Any]] = {
    PaymentTriggerKind.NOTICE_FORGED: {"forged": True},
    PaymentTriggerKind.NOTICE_ALTERED: {"altered": True},
    PaymentTriggerKind.NOTICE_REPEATED: {"copies": 3},
    PaymentTriggerKind.NOTICE_NEVER: {"lost": 1.0},
}

Struck = Mapping[PaymentTriggerKind, PaymentTrigger]


class Outcome(StrEnum):
    """What a customer does on the payment page."""

    PAY = "pay"
    DECLINE = "decline"  # the bank refuses the card
    LEAVE = "leave"
    WAIT = "wait"  # the bank has not decided


class LaterAct(StrEnum):
    """What becomes of a payment later."""

    SETTLE = "settle"
    FAIL = "fail"
    EXPIRE = "expire"
    REFUND = "refund"
    NOTIFY = "notify"  # the shop is told once more


STATUSES: Mapping[Outcome, str] = {
    Outcome.PAY: "successful",
    Outcome.DECLINE: "failed",
    Outcome.LEAVE: "incomplete",
    Outcome.WAIT: "pending",
}
_LATER: Mapping[LaterAct, str] = {LaterAct.SETTLE: "successful", LaterAct.FAIL: "failed", LaterAct.EXPIRE: "expired"}


class SandboxProduct(msgspec.Struct, kw_only=True):
    """What one link asks to be paid.

    ``amount`` is in minor units; ``quantity`` is how often it can still be paid, unless ``infinite``. A payment takes
    the money where ``transaction_type`` is "payment", and only holds it where it is "authorization".
    """

    id: str
    name: str
    description: str
    currency: str
    amount: int
    quantity: int | None = None
    infinite: bool = False
    language: str
    transaction_type: str = PAYMENT
    created_at: datetime
    updated_at: datetime
    test: bool = False
    visible_fields: list[str] = []
    immortal: bool = False
    expired_at: datetime | None = None
    return_url: str | None = None
    triggers: list[PaymentTriggerKind] = []

    def closed(self, now: datetime) -> str | None:
        """Why it cannot be paid, None when it can."""
        if not self.infinite and not self.quantity:
            return "paid"
        expired = not self.immortal and self.expired_at is not None and self.expired_at <= now
        return "expired" if expired else None


class SandboxPayment(msgspec.Struct, kw_only=True):
    """A payment, or what became of one. ``amount`` is in minor units; a refund names its payment in ``parent``.

    ``status`` is successful, failed, incomplete (the customer left), pending or expired; ``type`` is payment,
    authorization or refund. ``names_product`` False: the notification must not say which product was paid.
    """

    uid: str
    product_id: str
    description: str
    amount: int
    currency: str
    status: str
    type: str
    test: bool
    language: str
    at: datetime
    paid_at: datetime | None = None
    customer: dict[str, str] = {}
    parent: str | None = None
    names_product: bool = True
    triggers: list[PaymentTriggerKind] = []

    @property
    def captured(self) -> bool:
        """Whether it took the customer's money."""
        return self.status == "successful" and self.type == PAYMENT


@dataclass(frozen=True)
class PaymentRules:
    """What is one payment supplier's own.

    ``notification`` is the webhook's body for a payment, ``webhooks`` how it is signed and sent again. ``prefix``
    begins a product's id; ``examples`` are products that the page's examples name, so that each can be sent as it is.
    """

    title: str
    webhooks: WebhookRules
    notification: Callable[[SandboxPayment], Mapping[str, Any]]
    prefix: str = "link_"
    examples: Callable[[], Iterable[SandboxProduct]] = tuple


class ClosedError(Exception):
    """The product cannot be paid; ``why`` is paid or expired."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class _Line(msgspec.Struct, omit_defaults=True):
    product: SandboxProduct | None = None
    payments: list[SandboxPayment] = []


class PaymentSimulator(Simulator[PaymentTrigger]):
    """One shop's. What changes is written down before anybody is answered; with a ``file`` it outlives the process."""

    trigger_type: ClassVar[type[PaymentTrigger]] = PaymentTrigger

    def __init__(self, rules: PaymentRules, file: Path | None = None) -> None:
        super().__init__(rules.webhooks)
        self.rules = rules
        self.products: dict[str, SandboxProduct] = {}
        self._examples = self._examples_of_the_page()
        self.payments: dict[str, SandboxPayment] = {}
        self._lines = JsonLines(file, _Line)
        for line in self._lines.read():
            if line.product is not None:
                kept = self._examples if line.product.id in self._examples else self.products
                kept[line.product.id] = line.product
            self.payments |= {payment.uid: payment for payment in line.payments}

    def strike(
        self, description: str, product_id: str = "", kinds: frozenset[PaymentTriggerKind] = OF_CREATION
    ) -> Struck:
        """The triggers that hit the making of a product, or what else has these ``kinds``."""
        struck = self.triggers.strike(lambda trigger: trigger.applies(kinds, product_id, description))
        return {trigger.kind: trigger for trigger in struck}

    def make(self, values: Mapping[str, Any], struck: Struck) -> SandboxProduct:
        """A product of these parameters."""
        now = _now()
        product = SandboxProduct(
            id=f"{self.rules.prefix}{secrets.token_hex(8)}",
            created_at=now,
            updated_at=now,
            **values,
            triggers=list(struck),
        )
        self.products[product.id] = product
        self._lines.write(_Line(product))
        return product

    def change(self, product: SandboxProduct, values: Mapping[str, Any]) -> None:
        """Give a product other parameters."""
        for name, value in values.items():
            setattr(product, name, value)
        product.updated_at = _now()
        self._lines.write(_Line(product))

    async def paid_early(self, product: SandboxProduct) -> None:
        """A payment whose notification has come before anything else was said of the product."""
        self.triggers.add(PaymentTrigger(kind=PaymentTriggerKind.NOTICE_EARLY, key=product.id))
        await self.visit(product, Outcome.PAY)

    def product(self, product_id: str) -> SandboxProduct | None:
        """A product, or one that the page's examples name."""
        return self.products.get(product_id) or self._examples.get(product_id)

    def listed(self) -> list[SandboxProduct]:
        """Every product that was made, the newest first."""
        return list(self.products.values())[::-1]

    async def visit(
        self, product: SandboxProduct, outcome: Outcome, customer: Mapping[str, str] | None = None
    ) -> list[SandboxPayment]:
        """A customer on the payment page. The shop is told in the background. Raises ``ClosedError``.

        A payment is booked in one step without a wait, so that of two customers one comes too late.
        """
        paying = outcome in {Outcome.PAY, Outcome.WAIT}
        struck = self.strike(product.description, product.id, OF_PAYMENT) if paying else {}
        why = product.closed(_now())
        if why is not None and not (why == "expired" and PaymentTriggerKind.AFTER_EXPIRY in struck):
            raise ClosedError(why)
        made = [self._payment(product, outcome, dict(customer or {}), struck)]
        if outcome is Outcome.PAY:
            if PaymentTriggerKind.PAID_TWICE in struck:
                made.append(self._payment(product, outcome, dict(customer or {}), struck))
            if product.quantity is not None:
                product.quantity = max(0, product.quantity - len(made))
        self.payments |= {payment.uid: payment for payment in made}
        self._lines.write(_Line(product, made))
        for payment in made:
            await self._notify(payment, struck)
        return made

    async def act(self, payment: SandboxPayment, act: LaterAct) -> SandboxPayment:
        """What becomes of a payment later; the one that the shop is then told of. Raises ``ClosedError``."""
        if act is LaterAct.REFUND:
            return self._refund(payment)
        if act is not LaterAct.NOTIFY:
            product = (self._examples | self.products)[payment.product_id]
            if act is LaterAct.SETTLE and not payment.captured:
                if product.closed(_now()) == "paid":
                    raise ClosedError("paid")
                if product.quantity is not None:
                    product.quantity -= 1
                payment.paid_at = _now()
            payment.status = _LATER[act]
            self._lines.write(_Line(product, [payment]))
        self._send(payment)
        return payment

    def notified(self, payment: SandboxPayment) -> bool:
        """Whether the shop took a notification of it."""
        taken = [sent for sent in self.webhooks.log if sent.status is not None and sent.status // 100 == 2]  # noqa: PLR2004
        return any(sent.sale_id == payment.uid and sent.what in _NOTIFIED for sent in taken)

    def reset(self) -> None:
        """No products, no payments, no triggers, no notifications."""
        super().reset()
        self._lines.clear()
        self.products.clear()
        self._examples = self._examples_of_the_page()
        self.payments.clear()

    async def close(self) -> None:
        """End what goes on in the background."""
        await super().close()
        self._lines.close()

    def _payment(
        self, product: SandboxProduct, outcome: Outcome, customer: dict[str, str], struck: Struck
    ) -> SandboxPayment:
        now = _now()
        amount, currency = product.amount, product.currency
        if other := struck.get(PaymentTriggerKind.WRONG_AMOUNT):
            amount = max(1, int(amount * other.factor))
        if other := struck.get(PaymentTriggerKind.WRONG_CURRENCY):
            currency = other.currency if other.currency != currency else "USD"
        late = PaymentTriggerKind.AFTER_EXPIRY in struck and product.expired_at is not None
        at = max(now, product.expired_at + _TOO_LATE) if late and product.expired_at else now
        authorised_only = PaymentTriggerKind.AUTHORISED_ONLY in struck
        stranger = PaymentTriggerKind.NOTICE_OF_A_STRANGER in struck
        return SandboxPayment(
            uid=str(uuid.uuid4()),
            product_id=product.id,
            description="An order from elsewhere" if stranger else product.description,
            amount=amount,
            currency=currency,
            status=STATUSES[outcome],
            type=AUTHORIZATION if authorised_only else product.transaction_type,
            test=product.test is not (PaymentTriggerKind.OTHER_MODE in struck),
            language=product.language,
            at=at,
            paid_at=at if outcome is Outcome.PAY else None,
            customer=customer,
            names_product=not stranger and PaymentTriggerKind.NOTICE_WITHOUT_PRODUCT not in struck,
            triggers=list(struck),
        )

    async def _notify(self, payment: SandboxPayment, struck: Struck) -> None:
        sending = self._send(payment, struck)
        if sending is not None and PaymentTriggerKind.NOTICE_EARLY in struck:
            await asyncio.wait([sending], timeout=_DELIVERY_SECONDS)
        if PaymentTriggerKind.REFUNDED in struck and payment.captured:
            self._spawn(self._refund_after(payment, sending))

    async def _refund_after(self, payment: SandboxPayment, sending: asyncio.Task[Any] | None) -> None:
        if sending is not None:
            await asyncio.wait([sending])
        self._refund(payment)

    def _refund(self, payment: SandboxPayment) -> SandboxPayment:
        refund = msgspec.structs.replace(
            payment, uid=str(uuid.uuid4()), type=REFUND, status=STATUSES[Outcome.PAY], parent=payment.uid, at=_now()
        )
        self.payments[refund.uid] = refund
        self._lines.write(_Line(payments=[refund]))
        self._send(refund)
        return refund

    def _send(self, payment: SandboxPayment, struck: Struck | None = None) -> asyncio.Task[Any] | None:
        struck = struck or {}
        spoilt = {name: value for kind in struck for name, value in _SPOILT_NOTICES.get(kind, {}).items()}
        if late := struck.get(PaymentTriggerKind.NOTICE_LATE):
            spoilt["delay_seconds"] = late.seconds
        return self.webhooks.send(self.rules.notification(payment), payment.uid, **spoilt)

    def _examples_of_the_page(self) -> dict[str, SandboxProduct]:
        return {product.id: product for product in self.rules.examples()}


def _now() -> datetime:
    return datetime.now(UTC)
