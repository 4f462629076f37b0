"""What the API answers, and the events that it sends.

Made by `make clients` from the API's description. Do not edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from .events import EventBase, UnknownEvent

if TYPE_CHECKING:
    AfterAllowance = Literal["cut_off", "throttled"]
    AttemptKind = Literal["cancel", "purchase", "topup"]
    AttemptState = Literal["accepted", "charged_undeliverable", "failed", "sending", "succeeded", "unknown"]
    CheckoutEventDataStatus = Literal["expired", "needs_review", "paid"]
    CheckoutFailureCode = Literal["refused", "unavailable"]
    CheckoutReviewReason = Literal[
        "authorisation_only",
        "live_payment",
        "order_cancelled",
        "order_refused",
        "other_currency",
        "other_link",
        "other_movement",
        "paid_after_close",
        "paid_late",
        "paid_too_little",
        "paid_too_much",
        "paid_twice",
        "payment_not_seen",
        "refund",
        "test_payment",
        "undeliverable",
        "unknown_checkout",
    ]
    CheckoutStatus = Literal["closed", "creating", "expired", "failed", "needs_review", "open", "paid"]
    DeliveryStatus = Literal["delivered", "failed", "pending"]
    EndpointStatus = Literal["disabled", "enabled"]
    FailureCode = Literal[
        "cancelled",
        "no_stock",
        "not_supported",
        "price_changed",
        "spend_limit",
        "supplier_refused",
        "supplier_unavailable",
    ]
    GoodAttributeNameTarget = Literal["product", "sku"]
    GoodDenominationKind = Literal["custom", "fixed"]
    NoticeType = Literal[
        "checkout.expired",
        "checkout.needs_review",
        "checkout.paid",
        "esim.state_changed",
        "esim.usage_low",
        "order.cancelled",
        "order.failed",
        "order.fulfilled",
        "order.needs_review",
        "plan.out_of_stock",
        "plan.price_changed",
        "topup.completed",
    ]
    OrderKind = Literal["esim", "number", "topup", "voucher"]
    OrderStatus = Literal["cancel_pending", "cancelled", "failed", "fulfilled", "needs_review", "pending"]
    OwnKeyMode = Literal["live", "test"]
    OwnKeyScopes = Literal["catalog", "goods", "ops", "ops:read", "routing", "storefront"]
    Period = Literal["day", "month", "total"]
    PlansInStock = Literal["any", "false", "true"]
    PlansSort = Literal[
        "-data",
        "-days",
        "-price",
        "-price_per_day",
        "-price_per_gb",
        "data",
        "days",
        "price",
        "price_per_day",
        "price_per_gb",
    ]
    ProfileState = Literal["deleted", "disabled", "downloaded", "enabled", "installed", "released", "unknown"]
    Reset = Literal["daily", "monthly", "never"]
    Scope = Literal["country", "global", "region"]
    ServiceState = Literal["active", "depleted", "expired", "not_active", "revoked", "suspended", "unknown"]
    Starts = Literal["first_use", "install", "purchase", "unknown"]
    TravellerEmailKind = Literal["delivery", "topup", "usage"]
    TravellerEmailStatus = Literal["bounced", "failed", "pending", "sent", "skipped", "unknown"]
    VirtualNumberState = Literal["active", "expired"]
else:  # a newer gateway may send a value that is not listed here
    AfterAllowance = str
    AttemptKind = str
    AttemptState = str
    CheckoutEventDataStatus = str
    CheckoutFailureCode = str
    CheckoutReviewReason = str
    CheckoutStatus = str
    DeliveryStatus = str
    EndpointStatus = str
    FailureCode = str
    GoodAttributeNameTarget = str
    GoodDenominationKind = str
    NoticeType = str
    OrderKind = str
    OrderStatus = str
    OwnKeyMode = str
    OwnKeyScopes = str
    Period = str
    PlansInStock = str
    PlansSort = str
    ProfileState = str
    Reset = str
    Scope = str
    ServiceState = str
    Starts = str
    TravellerEmailKind = str
    TravellerEmailStatus = str
    VirtualNumberState = str


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try at one supplier.

    Attributes:
        n: Its number within the order, from 1.
        kind: What was asked of the supplier.
        supplier: The supplier that was asked.
        supplier_plan_id: The supplier's own id for what was asked for.
        state: What came of it.
        reference: The gateway's reference, which the supplier was sent.
        supplier_order_id: The supplier's id for its order; null while it is not known.
        cost: What the supplier charged; null while that is not known.
        listed: What the supplier listed.
        error: What the supplier said against it; null when nothing.
        why: Why this offer was chosen.
        started_at: When the supplier was asked.
        ended_at: When the outcome was known; null while it is not.
    """

    n: int
    kind: AttemptKind
    supplier: str
    supplier_plan_id: str
    state: AttemptState
    reference: str
    supplier_order_id: str | None = None
    cost: Price | None = None
    listed: Price | None = None
    error: str | None = None
    why: str
    started_at: datetime
    ended_at: datetime | None = None


class CatalogNote(msgspec.Struct, frozen=True, kw_only=True):
    """Which catalogue answered.

    Attributes:
        version: The version of the catalogue; it changes with every change of a plan.
        synced_at: When its offers were last fetched; null before the first time.
        stale: Whether offers of it were last observed longer ago than two sync intervals.
    """

    version: str
    synced_at: datetime | None = None
    stale: bool


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """A checkout. Its plan and price stay as they were when it was made.

    Attributes:
        id: The checkout's id.
        status: Where the checkout stands.
        plan: The plan that is paid.
        price: What the customer pays.
        payment_url: Where the customer pays; null when it cannot be paid.
        expires_at: Until when it can be paid.
        order_id: The order that was placed for it; null before it is paid.
        reference: Your own reference; null without one.
        language: The language of the payment page, ISO 639-1.
        return_url: Where the customer comes back to after paying; null without one.
        review: What waits for an operator; null when nothing does.
        failure: Why no payment link came about; null when one did.
        metadata: The texts that you sent with it.
        created_at: When it was made.
        updated_at: When it last changed.
        paid_at: When it was paid; null before.
    """

    id: str
    status: CheckoutStatus
    plan: Plan
    price: Price
    payment_url: str | None = None
    expires_at: datetime
    order_id: str | None = None
    reference: str | None = None
    language: str
    return_url: str | None = None
    review: CheckoutReview | None = None
    failure: CheckoutFailure | None = None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    paid_at: datetime | None = None


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

    checkout_id: str
    status: CheckoutEventDataStatus
    reference: str | None = None
    plan_id: str
    price: Price
    order_id: str | None = None
    reason: CheckoutReviewReason | None = None


class CheckoutExpiredEvent(EventBase, msgspec.Struct, frozen=True, kw_only=True):
    """Nobody paid a checkout in its time.

    Attributes:
        type: The type of the event.
        id: The event's id: the `webhook-id` of every try and replay.
        timestamp: When it happened.
        data: The checkout.
    """

    type: Literal["checkout.expired"]
    id: str
    timestamp: datetime
    data: CheckoutEventData


class CheckoutFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why no payment link came about. Nothing can have been paid through one.

    Attributes:
        code: Whether the payment supplier refused, or did not answer.
        detail: The same in words.
    """

    code: CheckoutFailureCode
    detail: str


class CheckoutNeedsReviewEvent(EventBase, msgspec.Struct, frozen=True, kw_only=True):
    """A checkout waits for an operator; `reason` is what for.

    Attributes:
        type: The type of the event.
        id: The event's id: the `webhook-id` of every try and replay.
        timestamp: When it happened.
        data: The checkout, with its `reason`.
    """

    type: Literal["checkout.needs_review"]
    id: str
    timestamp: datetime
    data: CheckoutEventData


class CheckoutPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list.

    Attributes:
        data: The rows of this page.
        has_more: Whether another page follows.
        next_cursor: Send it as `cursor` for the next page; null on the last one.
    """

    data: list[Checkout]
    has_more: bool
    next_cursor: str | None = None


class CheckoutPaidEvent(EventBase, msgspec.Struct, frozen=True, kw_only=True):
    """A customer paid a checkout and its order was placed. `order.fulfilled` follows.

    Attributes:
        type: The type of the event.
        id: The event's id: the `webhook-id` of every try and replay.
        timestamp: When it happened.
        data: The checkout, with its `order_id`.
    """

    type: Literal["checkout.paid"]
    id: str
    timestamp: datetime
    data: CheckoutEventData


class CheckoutReview(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for an operator.

    Attributes:
        reason: What the operator has to decide.
        since: Since when it waits.
    """

    reason: CheckoutReviewReason
    since: datetime


class CountryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A country that plans cover, and the lowest price among them.

    Attributes:
        code: The country.
        name: The country's name in English.
        plan_count: How many plans in stock cover it.
        from_price: The lowest price of a plan that covers it.
    """

    code: str
    name: str
    plan_count: int
    from_price: Price | None = None


class CountryList(msgspec.Struct, frozen=True, kw_only=True):
    """All countries that some plan covers.

    Attributes:
        data: The countries, by name.
    """

    data: list[CountryEntry]


class DataUsage(msgspec.Struct, frozen=True, kw_only=True):
    """An eSIM's data in MB, 1 GB being 1024; null where the supplier does not say.

    Attributes:
        total_mb: All data.
        used_mb: What is used of it.
        remaining_mb: What is left of it.
    """

    total_mb: int | None = None
    used_mb: int | None = None
    remaining_mb: int | None = None


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """An event on its way to an endpoint.

    Attributes:
        id: The delivery's id.
        event_id: The event's id: the `webhook-id` of every try and replay.
        event_type: The type of the event.
        status: Whether the event arrived, is still tried, or was given up.
        attempts: Every try, the oldest first.
        next_attempt_at: When it is tried next; null when it is not.
        created_at: When the delivery was created.
    """

    id: str
    event_id: str
    event_type: str
    status: DeliveryStatus
    attempts: list[DeliveryAttempt]
    next_attempt_at: datetime | None = None
    created_at: datetime


class DeliveryAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try.

    Attributes:
        at: When it was sent.
        http_status: The status of the answer; null when none came.
        error: A word for why no good answer came; null where `http_status` says it all.
        ms: How long it took, in milliseconds.
    """

    at: datetime
    http_status: int | None = None
    error: str | None = None
    ms: int


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list.

    Attributes:
        data: The rows of this page.
        has_more: Whether another page follows.
        next_cursor: Send it as `cursor` for the next page; null on the last one.
    """

    data: list[Delivery]
    has_more: bool
    next_cursor: str | None = None


class DigitalGood(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher or recharge.

    Attributes:
        id: The good's id.
        type: The kind of good.
        name: Its name.
        product_name: The name of its product.
        description: What it is for.
        image: A picture of it; null without one.
        category: The category that it stands in.
        countries: Where it is accepted, as far as that is told.
        attributes: The supplier's own words by their codes, which the categories list.
        denomination: What it is worth to its holder.
        fields: What an order must tell.
        max_per_order: The most that one order may be for; null without a limit.
        price: The price of one; null for a custom denomination until an amount is named.
        in_stock: Whether it can be bought now.
        stale: Whether it was last observed longer ago than two sync intervals.
        locale: The language of the texts; null where that is not known.
        updated_at: When it last changed.
    """

    id: str
    type: str
    name: str
    product_name: str
    description: str
    image: str | None = None
    category: GoodCategoryName | None = None
    countries: list[str]
    attributes: dict[str, str]
    denomination: GoodDenomination
    fields: list[GoodFieldAsked]
    max_per_order: int | None = None
    price: Price | None = None
    in_stock: bool
    stale: bool
    locale: str | None = None
    updated_at: datetime


class DigitalGoodPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list.

    Attributes:
        data: The rows of this page.
        has_more: Whether another page follows.
        next_cursor: Send it as `cursor` for the next page; null on the last one.
    """

    data: list[DigitalGood]
    has_more: bool
    next_cursor: str | None = None


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint.

    Attributes:
        id: The endpoint's id.
        url: Where events are sent.
        events: Which events are sent; all when none is named.
        description: What the endpoint is for.
        status: A disabled endpoint is sent nothing.
        old_secret_until: Until then each event is signed with the secret before, too; null when only one is in force.
        created_at: When the endpoint was created.
    """

    id: str
    url: str
    events: list[str]
    description: str
    status: EndpointStatus
    old_secret_until: datetime | None = None
    created_at: datetime


class EndpointList(msgspec.Struct, frozen=True, kw_only=True):
    """The endpoints of a storefront in this mode, the oldest first.

    Attributes:
        data: The endpoints.
    """

    data: list[Endpoint]


class EndpointTestData(msgspec.Struct, frozen=True, kw_only=True):
    """The endpoint that a test is for.

    Attributes:
        endpoint_id: The endpoint's `id`.
    """

    endpoint_id: str


class EndpointTestEvent(EventBase, msgspec.Struct, frozen=True, kw_only=True):
    """You asked for a test of an endpoint. It goes to that endpoint whatever events it asks for.

    Attributes:
        type: The type of the event.
        id: The event's id: the `webhook-id` of every try and replay.
        timestamp: When it happened.
        data: The endpoint.
    """

    type: Literal["endpoint.test"]
    id: str
    timestamp: datetime
    data: EndpointTestData


class EndpointWithSecret(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint with its signing secret, which is shown this once.

    Attributes:
        id: The endpoint's id.
        url: Where events are sent.
        events: Which events are sent; all when none is named.
        description: What the endpoint is for.
        status: A disabled endpoint is sent nothing.
        old_secret_until: Until then each event is signed with the secret before, too; null when only one is in force.
        created_at: When the endpoint was created.
        secret: What events are signed with, by Standard Webhooks. It is shown this once.
    """

    id: str
    url: str
    events: list[str]
    description: str
    status: EndpointStatus
    old_secret_until: datetime | None = None
    created_at: datetime
    secret: str


class Esim(msgspec.Struct, frozen=True, kw_only=True):
    """An eSIM's life as its supplier last reported it.

    Attributes:
        id: The eSIM's id.
        iccid: Its ICCID.
        order_id: The order that it was delivered for.
        plan_id: The plan that was bought.
        profile_state: The profile, on the SM-DP+ side and on the device.
        service_state: The subscription, on the network side.
        data: Its data; null where the supplier does not say.
        expires_at: When it ends; null where the supplier does not say.
        can_topup: Whether data can be added to it; null where that is not known.
        packages: The data packages on it.
        coverage: The operators that it may use.
        apn: The access point name that a phone needs; null where the supplier does not tell it.
        msisdn: Its phone number; null where the supplier does not tell it.
        imsi: Its number in the network; null where the supplier does not tell it.
        install_by: When it must be installed at the latest; null where the plan states no such limit.
        observed_at: When the supplier reported this; null when it was not asked yet.
        created_at: When it was delivered.
    """

    id: str
    iccid: str
    order_id: str
    plan_id: str
    profile_state: ProfileState
    service_state: ServiceState
    data: DataUsage | None = None
    expires_at: datetime | None = None
    can_topup: bool | None = None
    packages: list[EsimPackage]
    coverage: list[EsimCoverage]
    apn: str | None = None
    msisdn: str | None = None
    imsi: str | None = None
    install_by: datetime | None = None
    observed_at: datetime | None = None
    created_at: datetime


class EsimCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """An operator that the eSIM may use in a country.

    Attributes:
        country: The country.
        operator: The operator's name.
    """

    country: str
    operator: str


class EsimPackage(msgspec.Struct, frozen=True, kw_only=True):
    """One data package on an eSIM.

    Attributes:
        name: The package's name.
        total_mb: All its data in MB; null where the supplier does not say.
        remaining_mb: What is left of it in MB; null where the supplier does not say.
        expires_at: When it ends; null where the supplier does not say.
        state: The supplier's word for its state.
    """

    name: str
    total_mb: int | None = None
    remaining_mb: int | None = None
    expires_at: datetime | None = None
    state: str | None = None


class EsimPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list.

    Attributes:
        data: The rows of this page.
        has_more: Whether another page follows.
        next_cursor: Send it as `cursor` for the next page; null on the last one.
    """

    data: list[Esim]
    has_more: bool
    next_cursor: str | None = None


class EsimStateChangedData(msgspec.Struct, frozen=True, kw_only=True):
    """An eSIM whose profile or service has another state.

    Attributes:
        esim_id: The eSIM's `id`.
        iccid: Its ICCID.
        order_id: The order that it was delivered for.
        observed_at: When its supplier reported this.
        profile_state: The profile, on the SM-DP+ side and on the device.
        service_state: The subscription, on the network side.
        previous: The states before.
    """

    esim_id: str
    iccid: str
    order_id: str
    observed_at: datetime
    profile_state: ProfileState
    service_state: ServiceState
    previous: EsimStates


class EsimStateChangedEvent(EventBase, msgspec.Struct, frozen=True, kw_only=True):
    """An eSIM was installed, activated, suspended, or changed its state in another way.

    It is sent when the gateway sees the change at the supplier, some time after it happened.

    Attributes:
        type: The type of the event.
        id: The event's id: the `webhook-id` of every try and replay.
        timestamp: When it happened.
        data: The eSIM, with both its states.
    """

    type: Literal["esim.state_changed"]
    id: str
    timestamp: datetime
    data: EsimStateChangedData


class EsimStates(msgspec.Struct, frozen=True, kw_only=True):
    """Both states of an eSIM, as they were.

    Attributes:
        profile_state: The profile, on the SM-DP+ side and on the device.
        service_state: The subscription, on the network side.
    """

    profile_state: ProfileState
    service_state: ServiceState


class EsimUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What was used of an eSIM's data.

    Attributes:
        data: Its data; null where the supplier does not say.
        observed_at: When the supplier reported this.
    """

    data: DataUsage | None = None
    observed_at: datetime


class EsimUsageLowData(msgspec.Struct, frozen=True, kw_only=True):
    """An eSIM whose data is nearly used up.

    Attributes:
        esim_id: The eSIM's `id`.
        iccid: Its ICCID.
        order_id: The order that it was delivered for.
        observed_at: When its supplier reported this.
        threshold: The percentage of its data that is used, at least: 75, 90 or 100.
        data: Its data in MB; null when the supplier reports only that nothing is left.
    """

    esim_id: str
    iccid: str
    order_id: str
    observed_at: datetime
    threshold: int
    data: DataUsage | None = None


class EsimUsageLowEvent(EventBase, msgspec.Struct, frozen=True, kw_only=True):
    """75, 90 or 100 percent of an eSIM's data is used. A top-up starts the count again.

    It is sent when the gateway sees the usage at the supplier, some time after it happened.

    Attributes:
        type: The type of the event.
        id: The event's id: the `webhook-id` of every try and replay.
        timestamp: When it happened.
        data: The eSIM, with its usage.
    """

    type: Literal["esim.usage_low"]
    id: str
    timestamp: datetime
    data: EsimUsageLowData


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of events, the newest first.

    Attributes:
        data: The rows of this page.
        has_more: Whether another page follows.
        next_cursor: Send it as `cursor` for the next page; null on the last one.
    """

    data: list[Event]
    has_more: bool
    next_cursor: str | None = None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why an order came to nothing.

    Attributes:
        code: A word for programs.
        detail: The same in words.
    """

    code: FailureCode
    detail: str


class FairUsePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What limits an allowance beyond its amount, in short: `full_speed` and `after` of the plan say it exactly.

    Attributes:
        after: What follows the allowance; null where the supplier does not say.
        allowance_mb: How much data runs at full speed, in MB; null where the supplier does not say.
        per_day: Whether `allowance_mb` is for each day.
    """

    after: AfterAllowance | None = None
    allowance_mb: int | None = None
    per_day: bool


class GoodAttributeName(msgspec.Struct, frozen=True, kw_only=True):
    """An attribute that goods of a category carry.

    Attributes:
        code: The attribute's code.
        name: Its name.
        type: The kind of its values.
        target: Whether it is of a product or of each good.
    """

    code: str
    name: str
    type: str
    target: GoodAttributeNameTarget


class GoodCategoryList(msgspec.Struct, frozen=True, kw_only=True):
    """The categories, in the supplier's order.

    Attributes:
        data: The categories.
    """

    data: list[GoodCategoryShown]


class GoodCategoryName(msgspec.Struct, frozen=True, kw_only=True):
    """The category that a good stands in.

    Attributes:
        id: The category's id.
        name: Its name; null where the supplier has none.
    """

    id: str
    name: str | None = None


class GoodCategoryShown(msgspec.Struct, frozen=True, kw_only=True):
    """A category of goods, and how many goods stand in it.

    Attributes:
        id: The category's id.
        name: Its name.
        parent_id: The category above it; null for one at the top.
        attributes: The attributes that its goods carry.
        goods: How many goods stand in it.
    """

    id: str
    name: str
    parent_id: str | None = None
    attributes: list[GoodAttributeName]
    goods: int


class GoodDenomination(msgspec.Struct, frozen=True, kw_only=True):
    """What a good is worth to its holder.

    Attributes:
        kind: `fixed`: `face_value`. `custom`: an amount that the order names.
        face_value: What a fixed one is worth; null where the supplier does not say.
        currency: The currency of a custom amount.
        least: The least custom amount; null where that is not stated.
        most: The highest custom amount; null where that is not stated.
    """

    kind: GoodDenominationKind
    face_value: Price | None = None
    currency: str | None = None
    least: Decimal | None = None
    most: Decimal | None = None


class GoodFieldAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What an order must tell under `fields`.

    Attributes:
        name: The name under which to tell it.
        label: What to ask the customer.
        required: Whether it must be given.
        pattern: A regular expression that it must match; null without one.
        options: All that may stand there; empty when anything may.
    """

    name: str
    label: str
    required: bool
    pattern: str | None = None
    options: list[str]


class InstallLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Links that install the eSIM when they are opened on the phone itself.

    Attributes:
        ios: For iOS 17.4 and later.
        android: For Android.
    """

    ios: str
    android: str


class KeyLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a key may do at most.

    Attributes:
        requests_per_minute: How many requests the key may send in a minute.
        open_orders: How many orders of your storefront may be open at once; null without a limit.
    """

    requests_per_minute: int
    open_orders: int | None = None


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """What a key may spend at most, and what it has spent. Orders that failed or were cancelled do not count.

    Attributes:
        per_order: The most that one order may come to.
        per_day: The most for all orders of a UTC day.
        per_month: The most for all orders of a UTC month.
        spent_today: What was ordered under the mandate in this UTC day.
        spent_this_month: What was ordered under the mandate in this UTC month.
        ends_at: When the mandate ends; the key places no order from then on.
    """

    per_order: Price
    per_day: Price
    per_month: Price
    spent_today: Price
    spent_this_month: Price
    ends_at: datetime


class MissedThing(msgspec.Struct, frozen=True, kw_only=True):
    """A thing of a need that a plan does not have.

    Attributes:
        what: The part of the need.
        asked: What was asked for.
        has: What the plan has instead; null where the supplier does not say.
    """

    what: str
    asked: int | bool | str | list[str]
    has: int | bool | str | list[str] | None = None


class NearestPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that comes near a need which none meets, with what it misses.

    Attributes:
        plan: The plan.
        misses: What it misses.
    """

    plan: Plan
    misses: list[MissedThing]


class NextBest(msgspec.Struct, frozen=True, kw_only=True):
    """What would have been chosen next.

    Attributes:
        plan_id: The plan that would have been chosen next.
        price: Its price.
    """

    plan_id: str
    price: Price


class NumberCountryList(msgspec.Struct, frozen=True, kw_only=True):
    """Where numbers are sold, by name.

    Attributes:
        data: The countries.
    """

    data: list[NumberCountryShown]


class NumberCountryShown(msgspec.Struct, frozen=True, kw_only=True):
    """A country in which numbers are sold.

    Attributes:
        code: The country.
        name: The country's name in English.
        from_price: The price of the cheapest tier that can be bought now; null when none can.
        in_stock: Whether one can be bought now.
    """

    code: str
    name: str
    from_price: Price | None = None
    in_stock: bool


class NumberTierList(msgspec.Struct, frozen=True, kw_only=True):
    """The tiers, the shortest first.

    Attributes:
        data: The tiers.
    """

    data: list[NumberTierShown]


class NumberTierShown(msgspec.Struct, frozen=True, kw_only=True):
    """How long a number is held.

    Attributes:
        id: Send it as `tier_id`.
        name: The tier's name.
        days: For how many days.
        price: The lowest price; null when it cannot be bought now.
        countries: The countries in which it can be bought now.
        in_stock: Whether it can be bought now.
    """

    id: str
    name: str
    days: int
    price: Price | None = None
    countries: list[str]
    in_stock: bool


class NumberTierSold(msgspec.Struct, frozen=True, kw_only=True):
    """How long a number is held.

    Attributes:
        id: The tier's id.
        name: The tier's name.
        days: For how many days.
    """

    id: str
    name: str
    days: int


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order. Its plan and price stay as they were when it was placed.

    Attributes:
        id: The order's id.
        kind: What was ordered.
        status: Where the order stands. `fulfilled`, `failed` and `cancelled` are final; `needs_review` waits for an
            operator.
        reference: Your own reference; null without one.
        plan: The plan; null for a number or a voucher.
        price: What the customer pays.
        esim: What the traveller installs; null until it is delivered.
        number: The virtual number; null for anything else.
        voucher: The digital good; null for anything else.
        failure: Why the order failed; null when it did not.
        refund: What is given back; null unless the order was cancelled.
        metadata: The texts that you sent with the order.
        created_at: When the order was placed.
        updated_at: When the order last changed.
        fulfilled_at: When it was delivered; null before.
        cost_quoted: What the chosen offer was to cost. Needs the scope `ops:read`.
        cost_charged: What the supplier charged. Needs the scope `ops:read`.
        supplier: The supplier that delivered, or was asked last. Needs the scope `ops:read`.
        attempts: Each try at a supplier. Needs the scope `ops:read`.
    """

    id: str
    kind: OrderKind
    status: OrderStatus
    reference: str | None = None
    plan: Plan | None = None
    price: Price
    esim: OrderedEsim | None = None
    number: OrderedNumber | None = None
    voucher: OrderedVoucher | None = None
    failure: Failure | None = None
    refund: Price | None = None
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    fulfilled_at: datetime | None = None
    cost_quoted: Price | None = None
    cost_charged: Price | None = None
    supplier: str | None = None
    attempts: list[Attempt] | None = None


class OrderBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Orders that were placed together for one plan. Each goes its own way from then on.

    Attributes:
        id: The batch's id.
        orders: The orders, always in the same sequence.
    """

    id: str
    orders: list[Order]


class OrderCancelledEvent(EventBase, msgspec.Struct, frozen=True, kw_only=True):
    """An order was cancelled; `refund` is what is given back.

    Attributes:
        type: The type of the event.
        id: The event's id: the `webhook-id` of every try and replay.
        timestamp: When it happened.
        data: The order, with its `refund`.
    """

    type: Literal["order.cancelled"]
    id: str
    timestamp: datetime
    data: OrderEventData


class OrderEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to an order.

    Attributes:
        at: When it happened.
        type: A word for what happened.
        detail: The same in words.
        ops: What operators see of it; needs the scope `ops:read`.
    """

    at: datetime
    type: str
    detail: str
    ops: dict[str, Any] | None = None


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

    order_id: str
    kind: OrderKind
    status: OrderStatus
    reference: str | None = None
    plan_id: str
    price: Price
    failure: OrderEventFailure | None = None
    refund: Price | None = None
    esim_id: str | None = None
    number_id: str | None = None
    iccid: str | None = None


class OrderEventFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why an order failed.

    Attributes:
        code: A word for programs.
        detail: The same in words.
    """

    code: FailureCode
    detail: str | None = None


class OrderEventList(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that happened to an order, the oldest first.

    Attributes:
        data: What happened, the oldest first.
    """

    data: list[OrderEvent]


class OrderFailedEvent(EventBase, msgspec.Struct, frozen=True, kw_only=True):
    """An order failed. Nothing was bought, and nothing is owed.

    Attributes:
        type: The type of the event.
        id: The event's id: the `webhook-id` of every try and replay.
        timestamp: When it happened.
        data: The order, with its `failure`.
    """

    type: Literal["order.failed"]
    id: str
    timestamp: datetime
    data: OrderEventData


class OrderFulfilledEvent(EventBase, msgspec.Struct, frozen=True, kw_only=True):
    """An order was delivered. Fetch the order for its activation code, number or voucher codes.

    Attributes:
        type: The type of the event.
        id: The event's id: the `webhook-id` of every try and replay.
        timestamp: When it happened.
        data: The order.
    """

    type: Literal["order.fulfilled"]
    id: str
    timestamp: datetime
    data: OrderEventData


class OrderNeedsReviewEvent(EventBase, msgspec.Struct, frozen=True, kw_only=True):
    """An operator has to find out what became of an order. Another event follows when that is known.

    Attributes:
        type: The type of the event.
        id: The event's id: the `webhook-id` of every try and replay.
        timestamp: When it happened.
        data: The order.
    """

    type: Literal["order.needs_review"]
    id: str
    timestamp: datetime
    data: OrderEventData


class OrderPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list.

    Attributes:
        data: The rows of this page.
        has_more: Whether another page follows.
        next_cursor: Send it as `cursor` for the next page; null on the last one.
    """

    data: list[Order]
    has_more: bool
    next_cursor: str | None = None


class OrderedCode(msgspec.Struct, frozen=True, kw_only=True):
    """One code of a voucher. Whoever has it can spend it.

    Attributes:
        pin: The PIN; null without one.
        serial: The serial number; null without one.
        expires_at: Until when it can be spent; null where the supplier does not say.
        told: What a recharge says instead of a code.
    """

    pin: str | None = None
    serial: str | None = None
    expires_at: datetime | None = None
    told: str | None = None


class OrderedEsim(msgspec.Struct, frozen=True, kw_only=True):
    """What a traveller installs. Whoever has the activation code takes the line.

    Of a top-up it is the eSIM that the data went to, without its code.

    Attributes:
        id: The eSIM's id.
        iccid: Its ICCID.
        activation_code: What a phone reads from the QR code; null where it is not shown or cannot be installed.
        smdp_address: The SM-DP+ address, for typing by hand.
        matching_id: The matching ID, for typing by hand.
        confirmation_code_required: Whether the phone asks for a confirmation code.
        qr_svg_url: The QR code as SVG, for requests with your key.
        qr_png_url: The QR code as PNG, for requests with your key.
        install: Links that install it on the phone itself.
        page_url: A page for the traveller that needs no key; null where the gateway has no public address.
    """

    id: str
    iccid: str
    activation_code: str | None = None
    smdp_address: str | None = None
    matching_id: str | None = None
    confirmation_code_required: bool
    qr_svg_url: str | None = None
    qr_png_url: str | None = None
    install: InstallLinks | None = None
    page_url: str | None = None


class OrderedNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A virtual number that was ordered.

    Attributes:
        country: The country of the number.
        country_name: The country's name in English.
        tier: How long it is held.
        id: The number's id; null until it is delivered.
        phone_number: The number; null until it is delivered.
        expires_at: When it ends, as the supplier said last; null where it does not say.
        autorenew: Whether the supplier renews it, as it said last; null where it does not say.
        observed_at: When the supplier said so; null until it is delivered.
    """

    country: str
    country_name: str
    tier: NumberTierSold
    id: str | None = None
    phone_number: str | None = None
    expires_at: datetime | None = None
    autorenew: bool | None = None
    observed_at: datetime | None = None


class OrderedVoucher(msgspec.Struct, frozen=True, kw_only=True):
    """A digital good that was ordered.

    Attributes:
        good_id: The good's id.
        name: The good's name.
        product_name: The name of its product.
        type: The kind of good.
        quantity: How many.
        amount: The denomination that was chosen; null for a fixed one.
        codes: The codes, one for each unit; empty until they are delivered.
    """

    good_id: str
    name: str
    product_name: str
    type: str
    quantity: int
    amount: Price | None = None
    codes: list[OrderedCode]


class OwnKey(msgspec.Struct, frozen=True, kw_only=True):
    """The key that a request is sent with, without its text.

    Attributes:
        id: The key's id.
        name: What the key is for; null without a name.
        storefront: Whose key it is.
        mode: Live or test.
        scopes: What the key opens, with what each scope includes.
        limits: What the key may do at most.
    """

    id: str
    name: str | None = None
    storefront: str
    mode: OwnKeyMode
    scopes: list[OwnKeyScopes]
    limits: KeyLimits


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a traveller buys.

    Price, stock, networks and features are those of the offer that an order under these filters would buy now: the
    cheapest in stock.

    Attributes:
        id: The plan's id. It follows from what the plan is, so it is the same after every sync.
        name: The plan's name in English, made of its countries, data and days.
        scope: How far the plan reaches.
        countries: Every country that the plan covers.
        data: How much data.
        validity: For how many days, and from when.
        features: What it can do besides data.
        price: What the customer pays; of a plan without stock the last price. Null when there is no price in this
            currency.
        price_per_gb: The price of 1 GB at full speed; null where it is not known how much that is.
        price_per_day: The price of one day.
        in_stock: Whether it can be bought now.
        offer_count: How many offers could be sold.
        stale: Whether its offers were last observed longer ago than two sync intervals.
        updated_at: When the plan last changed.
        networks: The operators that it uses; a list of plans has them with `expand=networks`.
    """

    id: str
    name: str
    scope: Scope
    countries: list[str]
    data: PlanData
    validity: PlanValidity
    features: PlanFeatures
    price: Price | None = None
    price_per_gb: Price | None = None
    price_per_day: Price | None = None
    in_stock: bool
    offer_count: int
    stale: bool
    updated_at: datetime
    networks: list[PlanNetwork] | None = None


class PlanAfter(msgspec.Struct, frozen=True, kw_only=True):
    """What follows the full-speed data.

    Attributes:
        kbps: The speed in kbit/s; null where the supplier does not say.
        cut_off: Whether data ends; null where the supplier does not say.
    """

    kbps: int | None = None
    cut_off: bool | None = None


class PlanData(msgspec.Struct, frozen=True, kw_only=True):
    """How much data. Amounts below 1 GB are as they are; from there on 1 GB counts as 1024.

    Attributes:
        mb: The amount in MB, of a day or month by `reset`; null when unlimited.
        total_mb: The amount over all days of the plan, in MB; null when unlimited.
        declared: The amount as text.
        unlimited: Whether the plan has no fixed amount of data.
        reset: Whether the amount is for the whole validity, or for each day or month of it.
        fair_use: The same as `full_speed` and `after` in short; null where nothing is stated.
        full_speed: How much data runs at full speed; null where an unlimited plan states nothing.
        after: What follows the full-speed data.
        tier: The supplier's word for a grade of the plan, such as Lite; null without one.
    """

    mb: int | None = None
    total_mb: int | None = None
    declared: str
    unlimited: bool
    reset: Reset
    fair_use: FairUsePolicy | None = None
    full_speed: PlanFullSpeed | None = None
    after: PlanAfter
    tier: str | None = None


class PlanFeatures(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan can do besides data; null means that the supplier does not say.

    Attributes:
        topup: Whether data can be added to the eSIM.
        voice: Whether it has calls.
        sms: Whether it has SMS.
        exit_country: The country where traffic reaches the internet.
        hotspot: Whether the connection may be shared.
        voice_minutes: Minutes of calls that are included.
        voice_unlimited: Whether calls are unlimited; `voice_minutes` is then null.
        sms_count: SMS that are included.
        sms_unlimited: Whether SMS are unlimited; `sms_count` is then null.
        phone_number: Whether the eSIM has a phone number of its own.
        kyc_required: Whether the traveller must be identified before it works.
        install_within_days: How many days after the purchase it must be installed at the latest.
        usage: Whether the supplier reports how much of an eSIM is used.
        refundable: Whether the supplier takes an unused eSIM back.
        not_exit_countries: Countries where the supplier says that traffic does not reach the internet.
    """

    topup: bool | None = None
    voice: bool | None = None
    sms: bool | None = None
    exit_country: str | None = None
    hotspot: bool | None = None
    voice_minutes: int | None = None
    voice_unlimited: bool | None = None
    sms_count: int | None = None
    sms_unlimited: bool | None = None
    phone_number: bool | None = None
    kyc_required: bool | None = None
    install_within_days: int | None = None
    usage: bool | None = None
    refundable: bool | None = None
    not_exit_countries: list[str]


class PlanFullSpeed(msgspec.Struct, frozen=True, kw_only=True):
    """How much data runs at full speed.

    Attributes:
        mb: The amount in MB; null where the supplier says that nothing limits it.
        per: What the amount is for.
    """

    mb: int | None = None
    per: Period


class PlanList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of plans.

    Attributes:
        data: The rows of this page.
        has_more: Whether another page follows.
        next_cursor: Send it as `cursor` for the next page; null on the last one.
        catalog: The catalogue that the plans are from.
        gone: The ids of plans that left since `updated_since`.
    """

    data: list[Plan]
    has_more: bool
    next_cursor: str | None = None
    catalog: CatalogNote
    gone: list[str] | None = None


class PlanNetwork(msgspec.Struct, frozen=True, kw_only=True):
    """An operator used in a country.

    Attributes:
        country: The country.
        operator: The operator's name.
        generation: The best generation, such as 4G or 5G; null where the supplier does not say.
        mcc_mnc: The operator's number by ITU-T E.212; null where it is not known.
    """

    country: str
    operator: str
    generation: str | None = None
    mcc_mnc: str | None = None


class PlanOutOfStockData(msgspec.Struct, frozen=True, kw_only=True):
    """Plans that are sold out.

    Attributes:
        plans: Up to 500 plans; more come in further events.
    """

    plans: list[SoldOutPlan]


class PlanOutOfStockEvent(EventBase, msgspec.Struct, frozen=True, kw_only=True):
    """A sync found nothing left to sell of these plans.

    Attributes:
        type: The type of the event.
        id: The event's id: the `webhook-id` of every try and replay.
        timestamp: When it happened.
        data: The plans.
    """

    type: Literal["plan.out_of_stock"]
    id: str
    timestamp: datetime
    data: PlanOutOfStockData


class PlanPriceChangedData(msgspec.Struct, frozen=True, kw_only=True):
    """Plans with other prices.

    Attributes:
        plans: Up to 500 plans; more come in further events.
    """

    plans: list[RepricedPlan]


class PlanPriceChangedEvent(EventBase, msgspec.Struct, frozen=True, kw_only=True):
    """A sync found other prices. Prices are in the gateway's base currency, by your own pricing rules.

    Attributes:
        type: The type of the event.
        id: The event's id: the `webhook-id` of every try and replay.
        timestamp: When it happened.
        data: The plans.
    """

    type: Literal["plan.price_changed"]
    id: str
    timestamp: datetime
    data: PlanPriceChangedData


class PlanValidity(msgspec.Struct, frozen=True, kw_only=True):
    """How many days a plan lasts, and what starts them.

    Attributes:
        days: For how many days the plan is valid.
        starts: What starts these days.
    """

    days: int
    starts: Starts


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """An exact amount, written out in full, of one currency.

    Attributes:
        amount: The amount, written out in full.
        currency: The currency of the amount.
    """

    amount: Decimal
    currency: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """An error, as RFC 9457 writes it.

    Attributes:
        type: A page that says what causes this code and what to do.
        title: The code in words.
        status: The HTTP status of the answer.
        code: The error code, for programs. `/errors/{code}` explains each.
        request_id: The request's id, by which the operator finds it in the log.
        detail: What is wrong with this very request, for people.
        errors: The parts of the request that are wrong.
        successors: Of `plan_replaced`: the plans that the offers of the one asked for are now.
        nearest: Of `no_plan`: plans in stock that miss one thing of the need, or two.
    """

    type: str
    title: str
    status: int
    code: str
    request_id: str
    detail: str | None = None
    errors: list[ProblemError] | None = None
    successors: list[str] | None = None
    nearest: list[NearestPlan] | None = None


class ProblemError(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong.

    Attributes:
        pointer: Where: a JSON pointer into the body, or `/name` of a parameter.
        detail: What is wrong there.
    """

    pointer: str
    detail: str


class QrLinks(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses of the QR code that need no key, for a page or a mail. Whoever has one can install the eSIM.

    Attributes:
        svg_url: As an SVG picture.
        png_url: As a PNG picture.
        expires_at: When both end.
    """

    svg_url: str
    png_url: str
    expires_at: datetime


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """A plan whose price is held until `expires_at`.

    Attributes:
        id: The quote's id: send it as `quote_id` with an order.
        plan: The plan that was chosen.
        price: The price that is held.
        expires_at: Until when the price is held.
        why: Why this plan was chosen.
    """

    id: str
    plan: Plan
    price: Price
    expires_at: datetime
    why: WhyChosen


class RegionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A named group of countries, how many plans are of it, and the lowest price among them.

    Attributes:
        code: The region's code: a value for `region` in the list of plans.
        name: The region's name in English.
        countries: The countries of the region.
        plan_count: How many plans in stock are of it.
        from_price: The lowest price among them.
    """

    code: str
    name: str
    countries: list[str]
    plan_count: int
    from_price: Price | None = None


class RegionList(msgspec.Struct, frozen=True, kw_only=True):
    """The named groups of countries.

    Attributes:
        data: The regions.
    """

    data: list[RegionEntry]


class RepricedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with another price.

    Attributes:
        id: The plan's `id`.
        name: The plan's name.
        price: The price now; null when the plan has none in this currency.
        old_price: The price before.
    """

    id: str
    name: str
    price: Price | None = None
    old_price: Price | None = None


class SoldOutPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that cannot be bought now.

    Attributes:
        id: The plan's `id`.
        name: The plan's name.
    """

    id: str
    name: str


class TopupCompletedEvent(EventBase, msgspec.Struct, frozen=True, kw_only=True):
    """Data was added to an eSIM.

    Attributes:
        type: The type of the event.
        id: The event's id: the `webhook-id` of every try and replay.
        timestamp: When it happened.
        data: The order of the top-up.
    """

    type: Literal["topup.completed"]
    id: str
    timestamp: datetime
    data: OrderEventData


class TopupPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be added to an eSIM, at today's price.

    Attributes:
        id: Send it as `topup_plan_id`.
        plan_id: The plan that it is.
        name: Its name.
        data: How much data it adds.
        validity: For how many days, and from when.
        price: What the customer pays.
    """

    id: str
    plan_id: str
    name: str
    data: PlanData
    validity: PlanValidity
    price: Price


class TopupPlanList(msgspec.Struct, frozen=True, kw_only=True):
    """What can be added to an eSIM, the cheapest first; empty when nothing can.

    Attributes:
        data: The plans.
    """

    data: list[TopupPlan]


class TravellerEmail(msgspec.Struct, frozen=True, kw_only=True):
    """An e-mail to the traveller of an order.

    Attributes:
        id: The e-mail's id.
        order_id: The order that it is about.
        kind: The delivery, a warning that data runs out, or the confirmation of a top-up.
        status: `bounced`: the mail server refused it for good. `unknown`: it was handed over, and no answer came.
        detail: What the mail server said, or why nothing was sent; it holds no address.
        resent: Whether somebody asked for it.
        created_at: When it was queued.
        sent_at: When the mail server took it; null when it did not.
    """

    id: str
    order_id: str
    kind: TravellerEmailKind
    status: TravellerEmailStatus
    detail: str | None = None
    resent: bool
    created_at: datetime
    sent_at: datetime | None = None


class TravellerEmailList(msgspec.Struct, frozen=True, kw_only=True):
    """The e-mails of an order, the newest first.

    Attributes:
        data: The e-mails.
    """

    data: list[TravellerEmail]


class Validated(msgspec.Struct, frozen=True, kw_only=True):
    """An order that would be taken now, and its price.

    Attributes:
        valid: Always true: an order that would not be taken is answered with its problem.
        price: What the customer would pay.
    """

    valid: bool
    price: Price


class VirtualNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number that was delivered.

    Attributes:
        id: The number's id.
        order_id: The order that it was delivered for.
        phone_number: The number.
        country: The country of the number.
        country_name: The country's name in English.
        tier: How long it is held.
        state: Whether it is still held, by the clock and `expires_at`.
        expires_at: When it ends, as the supplier said last; null where it does not say.
        autorenew: Whether the supplier renews it, as it said last; null where it does not say.
        observed_at: When the supplier said so.
        created_at: When it was delivered.
    """

    id: str
    order_id: str
    phone_number: str
    country: str
    country_name: str
    tier: NumberTierSold
    state: VirtualNumberState
    expires_at: datetime | None = None
    autorenew: bool | None = None
    observed_at: datetime
    created_at: datetime


class VirtualNumberPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list.

    Attributes:
        data: The rows of this page.
        has_more: Whether another page follows.
        next_cursor: Send it as `cursor` for the next page; null on the last one.
    """

    data: list[VirtualNumber]
    has_more: bool
    next_cursor: str | None = None


class WhyChosen(msgspec.Struct, frozen=True, kw_only=True):
    """How the plan of a quote was found.

    Attributes:
        plans_considered: How many plans meet the need.
        plans_in_stock: How many of them can be bought now.
        rule: The rule that chose among them.
        next_best: What would have been chosen next; null when nothing else meets the need.
        assumed: Whether the plan is unlimited, does not say how much of it is at full speed, and was counted by what is
            assumed.
    """

    plans_considered: int
    plans_in_stock: int
    rule: str
    next_best: NextBest | None = None
    assumed: bool


if TYPE_CHECKING:
    Event: TypeAlias = (
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
        | EndpointTestEvent
        | UnknownEvent
    )
else:
    Event = EventBase
EVENT_TYPES: Mapping[str, type[Event]] = {
    "order.fulfilled": OrderFulfilledEvent,
    "order.failed": OrderFailedEvent,
    "order.needs_review": OrderNeedsReviewEvent,
    "order.cancelled": OrderCancelledEvent,
    "topup.completed": TopupCompletedEvent,
    "checkout.paid": CheckoutPaidEvent,
    "checkout.expired": CheckoutExpiredEvent,
    "checkout.needs_review": CheckoutNeedsReviewEvent,
    "esim.state_changed": EsimStateChangedEvent,
    "esim.usage_low": EsimUsageLowEvent,
    "plan.price_changed": PlanPriceChangedEvent,
    "plan.out_of_stock": PlanOutOfStockEvent,
    "endpoint.test": EndpointTestEvent,
}
