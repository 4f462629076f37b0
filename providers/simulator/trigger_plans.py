"""Plans on which something goes wrong, so that storefront developers can meet it without any control route.

They stand in every made-up catalogue as plans for Bouvet Island, where nobody lives. The amount says
what happens, the days say at which supplier, so each is a plan of its own; the plans that a supplier
refuses are sold by the next one too, a little dearer. An eSIM of one of them can be topped up with
another, and what happens then is that one's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from providers.simulator.items import Item
from providers.simulator.triggers import Act, Trigger, TriggerKind
from schemas.plan import MB_PER_GB, TRIGGER_COUNTRY, DataAllowance, Network, Starts, nominal_mb, plan_id

WHERE = TRIGGER_COUNTRY
PLACE = "Bouvet Island"
PRICE = Decimal("10.00")
DEARER = Decimal("10.30")
_SLOW_SECONDS = 35.0  # longer than a caller waits by default
_LAG_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class TriggerPlan:
    """One such plan: what it is called in keys, what happens, and whether the next supplier sells it too."""

    word: str
    label: str
    triggers: tuple[Trigger, ...] = ()
    fallback: bool = False


def _one(kind: TriggerKind, label: str, *, fallback: bool = False, seconds: float = 5.0) -> TriggerPlan:
    return TriggerPlan(kind.value, label, (Trigger(kind, seconds=seconds),), fallback)


def _cancelled(kind: TriggerKind, label: str) -> TriggerPlan:
    return TriggerPlan(f"cancel-{kind.value}", label, (Trigger(kind, act=Act.CANCEL),))


# The place in this list is the plan's amount in GB: append only.
TRIGGER_PLANS: tuple[TriggerPlan, ...] = (
    TriggerPlan("ok", "delivered as usual"),
    _one(TriggerKind.REFUSE_STOCK, "out of stock when it is ordered", fallback=True),
    _one(TriggerKind.REFUSE_BALANCE, "refused, our balance there is too low", fallback=True),
    _one(TriggerKind.REFUSE_BLOCKED, "refused, our account there is suspended", fallback=True),
    _one(TriggerKind.HANG, "not charged, no answer"),
    _one(TriggerKind.ERROR_500, "not charged, an error 500"),
    _one(TriggerKind.RESET, "not charged, the connection breaks"),
    _one(TriggerKind.CHARGE_THEN_HANG, "charged, then no answer"),
    _one(TriggerKind.CHARGE_THEN_500, "charged, then an error 500"),
    _one(TriggerKind.CHARGE_THEN_RESET, "charged, then the connection breaks"),
    _one(TriggerKind.CHARGE_THEN_HTML, "charged, then a web page for an answer"),
    _one(TriggerKind.CHARGE_THEN_TRUNCATED, "charged, then half an answer"),
    _one(TriggerKind.SLOW_CHARGE, "charged after everybody gave up waiting", seconds=_SLOW_SECONDS),
    _one(TriggerKind.DUPLICATE_REFERENCE, "charged, then called a duplicate"),
    _one(TriggerKind.CHARGED_MORE, "charged more than listed"),
    _one(TriggerKind.NEVER_PROVISIONED, "charged, never delivered"),
    _one(TriggerKind.FAILED_AFTER_PROCESSING, "fails while it is processed, refunded"),
    _one(TriggerKind.FAILED_WITHOUT_REFUND, "fails while it is processed, not refunded"),
    _one(TriggerKind.CANCELLED_AFTER_PROCESSING, "cancelled by the supplier, refunded"),
    _one(TriggerKind.PARTIALLY_COMPLETED, "called partly done, nothing delivered"),
    _one(TriggerKind.SILENT_REFUND, "refunded, and processed for ever"),
    TriggerPlan(
        "list_lag",
        "charged, then no answer, and listed late",
        (Trigger(TriggerKind.CHARGE_THEN_HANG), Trigger(TriggerKind.LIST_LAG, seconds=_LAG_SECONDS)),
    ),
    _one(TriggerKind.PICTURE_ONLY, "only the QR picture can be installed"),
    _one(TriggerKind.TWO_CODES, "text and QR picture differ"),
    _cancelled(TriggerKind.REFUSE_BLOCKED, "delivered; its cancel is refused"),
    _cancelled(TriggerKind.CHARGE_THEN_HANG, "delivered; its cancel happens without an answer"),
    _cancelled(TriggerKind.HANG, "delivered; its cancel gets no answer and does not happen"),
    _one(TriggerKind.WEBHOOK_DUPLICATE, "delivered; its webhook comes three times"),
    _one(TriggerKind.WEBHOOK_REORDERED, "delivered; the next order's webhook overtakes its own"),
    _one(TriggerKind.WEBHOOK_FORGED, "delivered; a forged webhook comes before its own"),
    _one(TriggerKind.WEBHOOK_ALTERED, "delivered; an altered webhook under the same signature comes before its own"),
)


def trigger_plans(suppliers: Sequence[str]) -> dict[str, list[Item]]:
    """Each supplier's items of this kind."""
    made: dict[str, list[Item]] = {name: [] for name in suppliers}
    for rank, name in enumerate(suppliers):
        for gigabytes, plan in enumerate(TRIGGER_PLANS, start=1):
            label = f"Sandbox: {plan.label}"
            made[name].append(_item(f"SANDBOX-{plan.word}", label, gigabytes, rank, PRICE, plan.triggers))
            if plan.fallback and len(suppliers) > 1:
                after = suppliers[(rank + 1) % len(suppliers)]
                label = f"Sandbox: in place of {name}'s that is {plan.label}"
                made[after].append(_item(f"SANDBOX-{name}-{plan.word}-INSTEAD", label, gigabytes, rank, DEARER))
    return made


def table(suppliers: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """The id of each such plan, its supplier and what happens."""
    for name, items in trigger_plans(suppliers).items():
        for item in items:
            if item.price == PRICE:
                yield _plan_id(item), name, item.label.removeprefix("Sandbox: ")


def _item(key: str, label: str, gigabytes: int, rank: int, price: Decimal, triggers: tuple[Trigger, ...] = ()) -> Item:
    days = rank + 1
    return Item(
        key=f"{key}-{gigabytes}GB-{days}D".upper(),
        place=PLACE,
        countries=(WHERE,),
        data_text=f"{gigabytes} GB",
        price=price,
        mb=gigabytes * MB_PER_GB,
        days=days,
        starts=Starts.INSTALL,
        networks=(Network(WHERE, "Bouvet Telecom", "4G"),),
        topup=True,
        exit_country="US",
        label=label,
        triggers=triggers,
    )


def _plan_id(item: Item) -> str:
    data = DataAllowance(mb=None if item.mb is None else nominal_mb(item.mb), declared=item.data_text)
    return plan_id(item.countries, data, item.days or 0)
