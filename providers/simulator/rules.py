"""How a supplier keeps its till: what it charges, how it delivers, what it says when it refuses."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from providers.simulator.sales import Sale, Why
from providers.simulator.webhooks import WebhookRules


@dataclass(frozen=True)
class TillRules:
    """How a supplier keeps its till.

    ``opening`` is the first deposit; ``credit`` may be spent beyond the balance. ``surcharge`` is a share
    of the listed price that is charged on top, rounded half up to cents; ``refunds_listed`` gives back the
    listed price on a cancel, not what was charged. ``delivery_seconds`` 0 delivers in the answer itself.
    ``shows_codes`` is whether looking an order up shows its activation code. ``refusals`` has the status
    and the words for each reason that applies to the supplier. ``gives`` is what a sale has delivered that is no
    eSIM: the telephone number, the PINs of a voucher.
    """

    opening: Decimal = Decimal(10_000)
    credit: Decimal = Decimal(0)
    currency: str = "USD"
    surcharge: Decimal = Decimal(0)
    refunds_listed: bool = False
    delivery_seconds: float = 0
    unique_references: bool = False
    shows_codes: bool = True
    order_id: Callable[[int], str] = lambda _number: str(uuid.uuid4())
    refusals: Mapping[Why, tuple[int, str]] = field(default_factory=dict)
    webhooks: WebhookRules | None = None
    gives: Callable[[Sale], tuple[str, ...]] = lambda _sale: ()
