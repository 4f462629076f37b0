"""The events that storefronts receive: one type for each, with what its ``data`` holds.

``AnyEvent`` and ``EVENTS`` are the only lists of them. The webhooks of the OpenAPI document and the AsyncAPI document
are made from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, TypeAlias, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.api import PlanId, PlanName, Price
from schemas.checkouts import CaseReason
from schemas.esim import DataUsage, ProfileState, ServiceState
from schemas.examples import example
from schemas.orders import FailureCode, Kind, OrderStatus
from schemas.page import Page

_OrderId = Annotated[str, example("ord_7f3a9c20e1b84d65")]
_EsimId = Annotated[str, example("esim_5c1f0a9be2d44b7788aa0c13")]
_Iccid = Annotated[str, example("8944500102198765432")]


class OrderEventFailure(msgspec.Struct, frozen=True):
    """Why an order failed.

    Attributes:
        code: A word for programs.
        detail: The same in words.
    """

    code: Annotated[FailureCode, example("no_stock")]
    detail: Annotated[str | None, example("no supplier has it in stock")]


class OrderEventData(msgspec.Struct, frozen=True, kw_only=True):
    """An order whose status changed. It holds no activation code, number or PIN: fetch the order.

    Attributes:
        order_id: The order's `id`.
        kind: What was ordered.
        status: The order's status after the change.
        reference: Your own reference of the order; null without one.
        plan_id: The `id` of the plan that was ordered, or of what else was: a number or a digital good.
        price: What the customer pays.
        failure: Why the order failed; only of an order that failed.
        refund: What is given back; only of an order that was cancelled.
        esim_id: The eSIM that was delivered or topped up.
        number_id: The virtual number that was delivered.
        iccid: The ICCID of the eSIM that was delivered.
    """

    order_id: _OrderId
    kind: Annotated[Kind, example("esim")]
    status: Annotated[OrderStatus, example("fulfilled")]
    reference: Annotated[str | None, example("YOUR-1")]
    plan_id: Annotated[str, example("jp-1gb-7d-5c2a9e0b71d4")]
    price: Price
    failure: OrderEventFailure | UnsetType = UNSET
    refund: Price | UnsetType = UNSET
    esim_id: _EsimId | UnsetType = UNSET
    number_id: Annotated[str, Meta(examples=["num_5c1f0a9be2d44b7788aa0c13"])] | UnsetType = UNSET
    iccid: _Iccid | UnsetType = UNSET


class CheckoutEventData(msgspec.Struct, frozen=True, kw_only=True):
    """A checkout whose status changed. It holds neither the payment's page nor the customer's address.

    Attributes:
        checkout_id: The checkout's `id`.
        status: The checkout's status after the change.
        reference: Your own reference; null without one.
        plan_id: The plan that the customer pays for.
        price: What the customer pays.
        order_id: The order that was placed for it; null before that.
        reason: What an operator has to decide; only of a checkout that needs review.
    """

    checkout_id: Annotated[str, example("co_7f3a9c20e1b84d65")]
    status: Annotated[Literal["paid", "expired", "needs_review"], example("paid")]
    reference: Annotated[str | None, example("YOUR-1")]
    plan_id: PlanId
    price: Price
    order_id: Annotated[str | None, example("ord_7f3a9c20e1b84d65")]
    reason: CaseReason | UnsetType = UNSET


class EsimStates(msgspec.Struct, frozen=True):
    """Both states of an eSIM, as they were.

    Attributes:
        profile_state: The profile, on the SM-DP+ side and on the device.
        service_state: The subscription, on the network side.
    """

    profile_state: Annotated[ProfileState, example("installed")]
    service_state: Annotated[ServiceState, example("not_active")]


class EsimEventData(msgspec.Struct, frozen=True, kw_only=True):
    """The eSIM that an event is about.

    Attributes:
        esim_id: The eSIM's `id`.
        iccid: Its ICCID.
        order_id: The order that it was delivered for.
        observed_at: When its supplier reported this.
    """

    esim_id: _EsimId
    iccid: _Iccid
    order_id: _OrderId
    observed_at: datetime


class EsimStateChangedData(EsimEventData, frozen=True, kw_only=True):
    """An eSIM whose profile or service has another state.

    Attributes:
        profile_state: The profile, on the SM-DP+ side and on the device.
        service_state: The subscription, on the network side.
        previous: The states before.
    """

    profile_state: Annotated[ProfileState, example("enabled")]
    service_state: Annotated[ServiceState, example("active")]
    previous: EsimStates


class EsimUsageLowData(EsimEventData, frozen=True, kw_only=True):
    """An eSIM whose data is nearly used up.

    Attributes:
        threshold: The percentage of its data that is used, at least: 75, 90 or 100.
        data: Its data in MB; null when the supplier reports only that nothing is left.
    """

    threshold: Annotated[int, example(90)]
    data: Annotated[DataUsage | None, example({"used_mb": 922, "remaining_mb": 102})]


class RepricedPlan(msgspec.Struct, frozen=True):
    """A plan with another price.

    Attributes:
        id: The plan's `id`.
        name: The plan's name.
        price: The price now; null when the plan has none in this currency.
        old_price: The price before.
    """

    id: PlanId
    name: PlanName
    price: Price | None
    old_price: Annotated[Price | None, example({"amount": "4.90"})]


class SoldOutPlan(msgspec.Struct, frozen=True):
    """A plan that cannot be bought now.

    Attributes:
        id: The plan's `id`.
        name: The plan's name.
    """

    id: PlanId
    name: PlanName


class PlanPriceChangedData(msgspec.Struct, frozen=True):
    """Plans with other prices.

    Attributes:
        plans: Up to 500 plans; more come in further events.
    """

    plans: list[RepricedPlan]


class PlanOutOfStockData(msgspec.Struct, frozen=True):
    """Plans that are sold out.

    Attributes:
        plans: Up to 500 plans; more come in further events.
    """

    plans: list[SoldOutPlan]


class EndpointTestData(msgspec.Struct, frozen=True):
    """The endpoint that a test is for.

    Attributes:
        endpoint_id: The endpoint's `id`.
    """

    endpoint_id: Annotated[str, example("we_5b1e0c9a7d3f")]


EventData: TypeAlias = (
    OrderEventData
    | CheckoutEventData
    | EsimStateChangedData
    | EsimUsageLowData
    | PlanPriceChangedData
    | PlanOutOfStockData
    | EndpointTestData
)


class StorefrontEvent(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    """What every event holds beside its ``type`` and ``data``.

    Attributes:
        type: The type of the event.
        id: The event's id: the `webhook-id` of every try and replay.
        timestamp: When it happened.
    """

    id: Annotated[str, example("evt_77aa01")]
    timestamp: datetime


class OrderFulfilledEvent(StorefrontEvent, tag="order.fulfilled", frozen=True, kw_only=True):
    """An order was delivered. Fetch the order for its activation code, number or voucher codes.

    Attributes:
        data: The order.
    """

    data: OrderEventData


class OrderFailedEvent(StorefrontEvent, tag="order.failed", frozen=True, kw_only=True):
    """An order failed. Nothing was bought, and nothing is owed.

    Attributes:
        data: The order, with its `failure`.
    """

    data: Annotated[OrderEventData, example({"status": "failed", "failure": {}})]


class OrderNeedsReviewEvent(StorefrontEvent, tag="order.needs_review", frozen=True, kw_only=True):
    """An operator has to find out what became of an order. Another event follows when that is known.

    Attributes:
        data: The order.
    """

    data: Annotated[OrderEventData, example({"status": "needs_review"})]


class OrderCancelledEvent(StorefrontEvent, tag="order.cancelled", frozen=True, kw_only=True):
    """An order was cancelled; `refund` is what is given back.

    Attributes:
        data: The order, with its `refund`.
    """

    data: Annotated[OrderEventData, example({"status": "cancelled", "refund": {}})]


class TopupCompletedEvent(StorefrontEvent, tag="topup.completed", frozen=True, kw_only=True):
    """Data was added to an eSIM.

    Attributes:
        data: The order of the top-up.
    """

    data: Annotated[OrderEventData, example({"kind": "topup", "esim_id": "esim_5c1f0a9be2d44b7788aa0c13"})]


class CheckoutPaidEvent(StorefrontEvent, tag="checkout.paid", frozen=True, kw_only=True):
    """A customer paid a checkout and its order was placed. `order.fulfilled` follows.

    Attributes:
        data: The checkout, with its `order_id`.
    """

    data: CheckoutEventData


class CheckoutExpiredEvent(StorefrontEvent, tag="checkout.expired", frozen=True, kw_only=True):
    """Nobody paid a checkout in its time.

    Attributes:
        data: The checkout.
    """

    data: Annotated[CheckoutEventData, example({"status": "expired", "order_id": None})]


class CheckoutNeedsReviewEvent(StorefrontEvent, tag="checkout.needs_review", frozen=True, kw_only=True):
    """A checkout waits for an operator; `reason` is what for.

    Attributes:
        data: The checkout, with its `reason`.
    """

    data: Annotated[
        CheckoutEventData, example({"status": "needs_review", "order_id": None, "reason": "paid_too_little"})
    ]


class EsimStateChangedEvent(StorefrontEvent, tag="esim.state_changed", frozen=True, kw_only=True):
    """An eSIM was installed, activated, suspended, or changed its state in another way.

    It is sent when the gateway sees the change at the supplier, some time after it happened.

    Attributes:
        data: The eSIM, with both its states.
    """

    data: EsimStateChangedData


class EsimUsageLowEvent(StorefrontEvent, tag="esim.usage_low", frozen=True, kw_only=True):
    """75, 90 or 100 percent of an eSIM's data is used. A top-up starts the count again.

    It is sent when the gateway sees the usage at the supplier, some time after it happened.

    Attributes:
        data: The eSIM, with its usage.
    """

    data: EsimUsageLowData


class PlanPriceChangedEvent(StorefrontEvent, tag="plan.price_changed", frozen=True, kw_only=True):
    """A sync found other prices. Prices are in the gateway's base currency, by your own pricing rules.

    Attributes:
        data: The plans.
    """

    data: PlanPriceChangedData


class PlanOutOfStockEvent(StorefrontEvent, tag="plan.out_of_stock", frozen=True, kw_only=True):
    """A sync found nothing left to sell of these plans.

    Attributes:
        data: The plans.
    """

    data: PlanOutOfStockData


class EndpointTestEvent(StorefrontEvent, tag="endpoint.test", frozen=True, kw_only=True):
    """You asked for a test of an endpoint. It goes to that endpoint whatever events it asks for.

    Attributes:
        data: The endpoint.
    """

    data: EndpointTestData


AnyEvent: TypeAlias = (
    OrderFulfilledEvent
    | OrderFailedEvent
    | OrderNeedsReviewEvent
    | OrderCancelledEvent
    | TopupCompletedEvent
    | CheckoutPaidEvent
    | CheckoutExpiredEvent
    | CheckoutNeedsReviewEvent
    | EsimStateChangedEvent
    | EsimUsageLowEvent
    | PlanPriceChangedEvent
    | PlanOutOfStockEvent
)

EVENTS: Mapping[str, type[StorefrontEvent]] = {
    kind.__struct_config__.tag: kind for kind in (*get_args(AnyEvent), EndpointTestEvent)
}


class EventPage(Page[AnyEvent], frozen=True):
    """A page of events, the newest first."""
