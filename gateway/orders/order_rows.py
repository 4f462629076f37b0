"""Orders and attempts as the flows hold them: rows of the database, and what admission writes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from gateway.access.key_rows import Mode
from gateway.items import item_rules
from gateway.items.item_rules import ItemWanted
from gateway.orders.rules.states import AttemptKind, AttemptNow, AttemptState, OrderNow, OrderStatus, ReviewReason
from schemas.money import Money
from schemas.order import TRIGGER_GOOD, GoodWanted, NumberWanted, PurchaseRequest
from schemas.plan import is_trigger


class Bound(msgspec.Struct, frozen=True):
    """The only offer that a top-up may buy, as it stood when the order was admitted."""

    supplier: str
    supplier_plan_id: str
    cost: Decimal
    currency: str


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the flows need it; ``fields``, what a product asked the customer for, is sealed."""

    id: str
    storefront_id: str
    mode: Mode
    kind: str
    status: OrderStatus
    reference: str | None
    plan_id: str
    plan: Any  # its JSON, or what admission wrote
    price: Decimal
    currency: str
    price_base: Decimal
    max_cost: Decimal
    base_currency: str
    wanted: dict[str, Any]
    only_suppliers: list[str]
    ignore_suppliers: list[str]
    target_esim_id: str | None
    bound: Bound | None
    fields: bytes | None
    cancel_requested_at: datetime | None
    step: int
    polls: int
    next_poll_at: datetime | None
    created_at: datetime
    updated_at: datetime
    checkout_id: str | None
    review_reason: ReviewReason | None
    turn_wait_since: datetime | None = None

    @property
    def is_trigger(self) -> bool:
        """Whether it is for something on which a sandbox goes wrong on purpose."""
        plan = self.plan if isinstance(self.plan, dict) else msgspec.structs.asdict(self.plan)
        if self.kind == "voucher":
            return self.mode == "test" and plan.get("product_name") == TRIGGER_GOOD
        return is_trigger(self.mode, plan.get("countries", ()))

    @property
    def now(self) -> OrderNow:
        """What the decisions need of it."""
        return OrderNow(
            id=self.id,
            kind=self.kind,
            status=self.status,
            cancel_requested=self.cancel_requested_at is not None,
            polls=self.polls,
            next_poll_at=self.next_poll_at,
            review_reason=self.review_reason,
        )


class AttemptRow(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt as the flows need it; ``iccid`` is sealed. ``item`` is what is bought where that is no eSIM."""

    id: str
    order_id: str
    n: int
    kind: AttemptKind
    supplier: str
    supplier_plan_id: str
    state: AttemptState
    run_id: Any
    iccid: bytes | None
    email: str | None
    signed_at: datetime
    deadline: datetime
    quiescent_at: datetime
    provision_by: datetime | None
    listed: Decimal | None
    charged: Decimal | None
    currency: str | None
    cost_base: Decimal | None
    supplier_order_id: str | None
    error_code: str | None
    error: str | None
    started_at: datetime
    item: ItemWanted | None
    ended_at: datetime | None = None
    unread_answer: bool = False

    @property
    def now(self) -> AttemptNow:
        """What the decisions need of it."""
        return AttemptNow(
            id=self.id,
            kind=self.kind,
            n=self.n,
            supplier=self.supplier,
            supplier_plan_id=self.supplier_plan_id,
            state=self.state,
            started_at=self.started_at,
            deadline=self.deadline,
            quiescent_at=self.quiescent_at,
            provision_by=self.provision_by,
            error_code=self.error_code,
            error=self.error,
            item=None if self.item is None else item_rules.kind_of(self.item),
            units=self.item.quantity if isinstance(self.item, GoodWanted) else 1,
            unread_answer=self.unread_answer,
        )

    def request(self, iccid: str | None) -> PurchaseRequest:
        """What the supplier was asked for, and is looked up by; the same words every time.

        All but the answers to a product's fields: they are for the purchase alone.
        """
        return PurchaseRequest(
            reference=self.id,
            supplier_plan_id=self.supplier_plan_id,
            signed_at=self.signed_at,
            deadline=self.deadline,
            email=self.email,
            iccid=iccid,
            kind=item_rules.kind_of(self.item, topup=self.kind == "topup"),
            number=self.item if isinstance(self.item, NumberWanted) else None,
            good=self.item if isinstance(self.item, GoodWanted) else None,
        )


class NewOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What admission writes. ``price_base``, ``max_cost`` are in base currency; ``email``, ``fields`` are sealed.

    ``key_id`` is the API key that it is placed with: a mandate of that key bounds it.
    """

    id: str
    storefront_id: str
    mode: Mode
    kind: str
    reference: str | None
    plan_id: str
    plan: Any
    price: Money
    price_base: Decimal
    max_cost: Money
    wanted: Any
    only_suppliers: list[str]
    ignore_suppliers: list[str]
    metadata: Any
    email: bytes | None = None
    email_digest: bytes | None = None
    customer_language: str | None = None
    target_esim_id: str | None = None
    bound: Bound | None = None
    fields: bytes | None = None
    checkout_id: str | None = None
    key_id: str | None = None
    replaces_order_id: str | None = None  # whose eSIM it replaces at our cost

    def row(self, now: datetime, next_poll_at: datetime) -> OrderRow:
        """Its row as it stands once it was admitted at ``now``, together with its first attempt."""
        return OrderRow(
            id=self.id,
            storefront_id=self.storefront_id,
            mode=self.mode,
            kind=self.kind,
            status="pending",
            reference=self.reference,
            plan_id=self.plan_id,
            plan=self.plan,
            price=self.price.amount,
            currency=self.price.currency,
            price_base=self.price_base,
            max_cost=self.max_cost.amount,
            base_currency=self.max_cost.currency,
            wanted=self.wanted,
            only_suppliers=self.only_suppliers,
            ignore_suppliers=self.ignore_suppliers,
            target_esim_id=self.target_esim_id,
            bound=self.bound,
            fields=self.fields,
            cancel_requested_at=None,
            step=1,
            polls=0,
            next_poll_at=next_poll_at,
            created_at=now,
            updated_at=now,
            review_reason=None,
            checkout_id=self.checkout_id,
        )


def order_row(row: Any) -> OrderRow:
    """An order out of what the database gave."""
    values = dict(row)
    if values["bound"] is not None:
        values["bound"] = msgspec.convert(values["bound"], Bound, strict=False)
    return OrderRow(**values)


def attempt_row(row: Any) -> AttemptRow:
    """An attempt out of what the database gave."""
    values = dict(row)
    values["state"] = AttemptState(values["state"])
    values["item"] = item_rules.wanted_of(values["item"])
    return AttemptRow(**values)
