"""The operations of the API, for asyncio.

Made by `make clients` from the API's description. Do not edit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, overload

from . import bodies, models
from .calls import Call, new_idempotency_key, path_of
from .lists import AsyncListing, AsyncSend


class AsyncCheckouts:
    """The operations of ``/v1/checkouts``."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    @overload
    async def create(
        self,
        *,
        plan_id: str,
        features: bodies.NeedFeatures | None = None,
        customer: bodies.Customer | None = None,
        language: str | None = None,
        return_url: str | None = None,
        reference: str | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> models.Checkout: ...
    @overload
    async def create(
        self,
        *,
        quote_id: str,
        customer: bodies.Customer | None = None,
        language: str | None = None,
        return_url: str | None = None,
        reference: str | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
    ) -> models.Checkout: ...
    async def create(self, *, idempotency_key: str | None = None, **body: Any) -> models.Checkout:
        """Have a customer pay for a plan.

        For a plan at its price of now, or for a quote at the price that is held. The price stays held until
        `expires_at`, and `payment_url` can be paid once until then. The payment places the order, once: `order_id`
        names it. Sent again under the same Idempotency-Key it answers the same checkout. A problem uses the key not up.
        Needs the scope `storefront`.

        Args:
            quote_id: The quote's `id`.
            customer: Who travels, and pays.
            language: Of the payment page, ISO 639-1. `"en"` by default.
            return_url: Where the customer comes back to after paying; https in live mode.
            reference: Your own reference; it becomes the order's.
            metadata: Up to 50 texts of your own; they become the order's.
            plan_id: The plan to be paid.
            features: Features that the offer must have.
            idempotency_key: Yours, new for each order and the same whenever you send it again: 1 to 255 printable ASCII
                characters. It answers the same order for ever. A new one is made without it.
        """
        return await self._send(
            Call(
                method="POST",
                path="/v1/checkouts",
                answer=models.Checkout,
                body=body,
                idempotency_key=idempotency_key or new_idempotency_key(),
            )
        )

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        status: models.CheckoutStatus | None = None,
        reference: str | None = None,
    ) -> AsyncListing[models.Checkout, models.CheckoutPage]:
        """Checkouts, the newest first.

        Those of your storefront, in the mode of the key. Needs the scope `storefront`.

        Args:
            limit: How many at most.
            cursor: Where to go on: the `next_cursor` of a page.
            status: Only checkouts in this state.
            reference: The checkout with this reference of yours.
        """
        return AsyncListing(
            self._send,
            Call(
                method="GET",
                path="/v1/checkouts",
                answer=models.CheckoutPage,
                query={"limit": limit, "cursor": cursor, "status": status, "reference": reference},
            ),
        )

    async def get(self, id: str, /) -> models.Checkout:
        """One checkout.

        `paid` has the `order_id` of its order. `needs_review`: money moved, or may have, in a way that needs an
        operator; `review` has the reason. Needs the scope `storefront`.

        Args:
            id: The checkout's `id`.
        """
        return await self._send(Call(method="GET", path=path_of("/v1/checkouts/{}", id), answer=models.Checkout))


class AsyncCountries:
    """The operations of ``/v1/countries``."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    def list(self, *, currency: str | None = None) -> AsyncListing[models.CountryEntry, models.CountryList]:
        """Countries that plans in stock cover.

        With how many, and the lowest price. Needs the scope `catalog`.

        Args:
            currency: The currency of prices; the gateway's base currency by default.
        """
        return AsyncListing(
            self._send,
            Call(method="GET", path="/v1/countries", answer=models.CountryList, query={"currency": currency}),
        )


class AsyncEsims:
    """The operations of ``/v1/esims``."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    def list(
        self, *, limit: int | None = None, cursor: str | None = None
    ) -> AsyncListing[models.Esim, models.EsimPage]:
        """Your eSIMs, the newest first.

        Each as its supplier last reported it; a GET of one of them asks the supplier. Needs the scope `storefront`.

        Args:
            limit: How many at most.
            cursor: Where to go on: the `next_cursor` of a page.
        """
        return AsyncListing(
            self._send,
            Call(method="GET", path="/v1/esims", answer=models.EsimPage, query={"limit": limit, "cursor": cursor}),
        )

    async def get(self, id: str, /) -> models.Esim:
        """One eSIM: the state of its profile and its service, and its data.

        The supplier's answer is cached for a minute; `observed_at` is its time, and `Cache-Control: no-cache` asks the
        supplier again. Usage comes late with some suppliers, by hours. Where the supplier has not reported a state yet,
        or cannot, the states are `unknown`, the data and `observed_at` null. Needs the scope `storefront`.

        Args:
            id: The eSIM's `id` or its ICCID (then your newest one).
        """
        return await self._send(Call(method="GET", path=path_of("/v1/esims/{}", id), answer=models.Esim))

    async def get_usage(self, id: str, /) -> models.EsimUsage:
        """How much of an eSIM's data is used.

        501: its supplier reports no usage. Needs the scope `storefront`.

        Args:
            id: The eSIM's `id` or its ICCID (then your newest one).
        """
        return await self._send(Call(method="GET", path=path_of("/v1/esims/{}/usage", id), answer=models.EsimUsage))

    async def get_qr_svg(self, id: str, /) -> bytes:
        """The activation code as a QR code, SVG.

        Whoever scans it can install the eSIM: show it to its owner alone. 410: the eSIM was cancelled. Needs the scope
        `storefront`.

        Args:
            id: The eSIM's `id` or its ICCID (then your newest one).
        """
        return await self._send(Call(method="GET", path=path_of("/v1/esims/{}/qr.svg", id), answer=bytes))

    async def get_qr_png(self, id: str, /) -> bytes:
        """The activation code as a QR code, PNG.

        Whoever scans it can install the eSIM: show it to its owner alone. 410: the eSIM was cancelled. Needs the scope
        `storefront`.

        Args:
            id: The eSIM's `id` or its ICCID (then your newest one).
        """
        return await self._send(Call(method="GET", path=path_of("/v1/esims/{}/qr.png", id), answer=bytes))

    async def get_qr_links(self, id: str, /) -> models.QrLinks:
        """Addresses of the QR code for an `<img>`, without your key.

        They end after a while, by default an hour, and stay the same for a minute: ask for them when you show the
        picture. Whoever has one can install the eSIM. 410: the eSIM was cancelled. Needs the scope `storefront`.

        Args:
            id: The eSIM's `id` or its ICCID (then your newest one).
        """
        return await self._send(Call(method="GET", path=path_of("/v1/esims/{}/qr-links", id), answer=models.QrLinks))

    def list_topup_plans(
        self, id: str, /, *, currency: str | None = None
    ) -> AsyncListing[models.TopupPlan, models.TopupPlanList]:
        """What can be added to an eSIM now, the cheapest first.

        Empty when nothing can. 501: this supplier cannot add to an eSIM. Needs the scope `storefront`.

        Args:
            id: The eSIM's `id` or its ICCID (then your newest one).
            currency: The currency of prices; the gateway's base currency by default.
        """
        return AsyncListing(
            self._send,
            Call(
                method="GET",
                path=path_of("/v1/esims/{}/topup-plans", id),
                answer=models.TopupPlanList,
                query={"currency": currency},
            ),
        )

    @overload
    async def top_up(
        self,
        id: str,
        /,
        *,
        topup_plan_id: str,
        reference: str | None = None,
        customer: bodies.Customer | None = None,
        max_price: bodies.PriceLimit | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        wait: int | None = None,
    ) -> models.Order: ...
    @overload
    async def top_up(
        self,
        id: str,
        /,
        *,
        plan_id: str,
        reference: str | None = None,
        customer: bodies.Customer | None = None,
        max_price: bodies.PriceLimit | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        wait: int | None = None,
    ) -> models.Order: ...
    async def top_up(
        self, id: str, /, *, idempotency_key: str | None = None, wait: int | None = None, **body: Any
    ) -> models.Order:
        """Add data to an eSIM.

        An order of the kind topup, bought from the eSIM's own supplier and from no other. Send one of the ids that
        `topup-plans` lists, or the id of a plan among them. 409 `not_topupable`: a cancel of the eSIM was asked for or
        is done, or the eSIM is revoked or expired. Needs the scope `storefront`.

        Args:
            id: The eSIM's `id` or its ICCID (then your newest one).
            plan_id: The plan to add.
            reference: Your own reference, unique within your storefront.
            customer: Who travels.
            max_price: The order fails with `price_changed` when it would cost more.
            metadata: Up to 50 texts of your own, returned with the order.
            topup_plan_id: The plan to add: `id` in the eSIM's list of top-up plans.
            idempotency_key: Yours, new for each order and the same whenever you send it again: 1 to 255 printable ASCII
                characters. It answers the same order for ever. A new one is made without it.
            wait: For how many seconds, at most 30, to wait for the order to be answered.
        """
        return await self._send(
            Call(
                method="POST",
                path=path_of("/v1/esims/{}/topups", id),
                answer=models.Order,
                body=body,
                idempotency_key=idempotency_key or new_idempotency_key(),
                wait=wait,
            )
        )


class AsyncEvents:
    """The operations of ``/v1/events``."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    def list(
        self, *, limit: int | None = None, cursor: str | None = None, type: models.NoticeType | None = None
    ) -> AsyncListing[models.Event, models.EventPage]:
        """Events of the last 30 days, the newest first.

        Those of your storefront, in the mode of the key, as webhook endpoints get them. An event is listed whether or
        not an endpoint asks for it; only `plan.price_changed` and `plan.out_of_stock` need one that does.
        `endpoint.test` is not listed. Needs the scope `storefront`.

        Args:
            limit: How many at most.
            cursor: Where to go on: the `next_cursor` of a page.
            type: Only events of this type.
        """
        return AsyncListing(
            self._send,
            Call(
                method="GET",
                path="/v1/events",
                answer=models.EventPage,
                query={"limit": limit, "cursor": cursor, "type": type},
            ),
        )


class AsyncGoods:
    """The operations of ``/v1/goods``."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        category: str | None = None,
        type: str | None = None,
        q: str | None = None,
        country: str | None = None,
        attribute: Sequence[str] | None = None,
        locale: str | None = None,
        currency: str | None = None,
    ) -> AsyncListing[models.DigitalGood, models.DigitalGoodPage]:
        """List digital goods.

        Vouchers and recharges beside eSIMs, by name, with their prices of now. Needs the scope `goods`.

        Args:
            limit: How many at most.
            cursor: Where to go on: the `next_cursor` of a page.
            category: A category's `id` in `/v1/goods/categories`.
            type: `voucher`, `recharge_fixed`, `recharge`, `voucher_open_range` or `other`.
            q: Words of the name.
            country: Only goods accepted there.
            attribute: `code:value`, to the letter; repeated: all of them.
            locale: The language of names and descriptions, where the supplier has it.
            currency: The currency of prices; the gateway's base currency by default.
        """
        return AsyncListing(
            self._send,
            Call(
                method="GET",
                path="/v1/goods",
                answer=models.DigitalGoodPage,
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "category": category,
                    "type": type,
                    "q": q,
                    "country": country,
                    "attribute": attribute,
                    "locale": locale,
                    "currency": currency,
                },
            ),
        )

    def list_categories(
        self, *, locale: str | None = None
    ) -> AsyncListing[models.GoodCategoryShown, models.GoodCategoryList]:
        """Categories of digital goods.

        With the attributes that goods in them carry, and how many goods are in each. Needs the scope `goods`.

        Args:
            locale: The language of names and descriptions, where the supplier has it.
        """
        return AsyncListing(
            self._send,
            Call(method="GET", path="/v1/goods/categories", answer=models.GoodCategoryList, query={"locale": locale}),
        )

    async def get(
        self, id: str, /, *, amount: Decimal | str | None = None, locale: str | None = None, currency: str | None = None
    ) -> models.DigitalGood:
        """One digital good.

        With `amount`, the price of that denomination where it is of one's choice; 409 for one that it cannot have.
        Needs the scope `goods`.

        Args:
            id: The good's `id`.
            amount: A denomination of one's choice, in its own currency: the price is then of it.
            locale: The language of names and descriptions, where the supplier has it.
            currency: The currency of prices; the gateway's base currency by default.
        """
        return await self._send(
            Call(
                method="GET",
                path=path_of("/v1/goods/{}", id),
                answer=models.DigitalGood,
                query={"amount": amount, "locale": locale, "currency": currency},
            )
        )


class AsyncMe:
    """The operations of ``/v1/me``."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def get(self) -> models.OwnKey:
        """Which key this is.

        Whose it is, in which mode, what it opens, and its limits. It is a good first request of a new client. Every key
        may, whatever its scopes.
        """
        return await self._send(Call(method="GET", path="/v1/me", answer=models.OwnKey))

    async def get_mandate(self) -> models.Mandate:
        """What this key may spend, and what it has spent.

        An operator sets it. 404: the key has no mandate, so that only the limit of its storefront bounds it. Needs the
        scope `storefront`.
        """
        return await self._send(Call(method="GET", path="/v1/me/mandate", answer=models.Mandate))


class AsyncNumbers:
    """The operations of ``/v1/numbers/countries``."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    def list_countries(
        self, *, currency: str | None = None
    ) -> AsyncListing[models.NumberCountryShown, models.NumberCountryList]:
        """Countries in which virtual numbers are sold.

        Each with the price of its cheapest tier. Needs the scope `storefront`.

        Args:
            currency: The currency of prices; the gateway's base currency by default.
        """
        return AsyncListing(
            self._send,
            Call(
                method="GET",
                path="/v1/numbers/countries",
                answer=models.NumberCountryList,
                query={"currency": currency},
            ),
        )

    def list_tiers(
        self, *, country: str | None = None, currency: str | None = None
    ) -> AsyncListing[models.NumberTierShown, models.NumberTierList]:
        """How long virtual numbers are held.

        With the price of each, in one country or the lowest of all. An order names country and tier: `{"number":
        {"country": "US", "tier_id": "7d"}}`. Needs the scope `storefront`.

        Args:
            country: As they are there.
            currency: The currency of prices; the gateway's base currency by default.
        """
        return AsyncListing(
            self._send,
            Call(
                method="GET",
                path="/v1/numbers/tiers",
                answer=models.NumberTierList,
                query={"country": country, "currency": currency},
            ),
        )

    def list(
        self, *, limit: int | None = None, cursor: str | None = None
    ) -> AsyncListing[models.VirtualNumber, models.VirtualNumberPage]:
        """Your virtual numbers, the newest first.

        Expiry and renewal are as the supplier last said; it is asked every hour. Needs the scope `storefront`.

        Args:
            limit: How many at most.
            cursor: Where to go on: the `next_cursor` of a page.
        """
        return AsyncListing(
            self._send,
            Call(
                method="GET",
                path="/v1/numbers",
                answer=models.VirtualNumberPage,
                query={"limit": limit, "cursor": cursor},
            ),
        )

    async def get(self, id: str, /) -> models.VirtualNumber:
        """One virtual number.

        As its supplier last reported it. Needs the scope `storefront`.

        Args:
            id: The number's `id`.
        """
        return await self._send(Call(method="GET", path=path_of("/v1/numbers/{}", id), answer=models.VirtualNumber))


class AsyncOrderBatches:
    """The operations of ``/v1/order-batches``."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    @overload
    async def create_batch(
        self,
        *,
        plan_id: str,
        features: bodies.NeedFeatures | None = None,
        suppliers: bodies.SupplierChoice | None = None,
        reference: str | None = None,
        customer: bodies.Customer | None = None,
        max_price: bodies.PriceLimit | None = None,
        metadata: Mapping[str, str] | None = None,
        quantity: int,
        idempotency_key: str | None = None,
        wait: int | None = None,
    ) -> models.OrderBatch: ...
    @overload
    async def create_batch(
        self,
        *,
        quote_id: str,
        features: bodies.NeedFeatures | None = None,
        suppliers: bodies.SupplierChoice | None = None,
        reference: str | None = None,
        customer: bodies.Customer | None = None,
        max_price: bodies.PriceLimit | None = None,
        metadata: Mapping[str, str] | None = None,
        quantity: int,
        idempotency_key: str | None = None,
        wait: int | None = None,
    ) -> models.OrderBatch: ...
    async def create_batch(
        self, *, idempotency_key: str | None = None, wait: int | None = None, **body: Any
    ) -> models.OrderBatch:
        """Place several orders.

        Up to 20 orders for one plan or quote, all of them or none: where stock, our funds, your limits or the number of
        open orders do not suffice for all, nothing is placed. Sent again under the same Idempotency-Key it answers the
        same orders. A problem uses the key not up. From then on each order goes its own way: one may fail while the
        others are fulfilled. Needs the scope `storefront`.

        Args:
            quote_id: The quote's `id`.
            features: Features that the offer must have.
            suppliers: Which suppliers may be asked; needs the scope `routing`.
            reference: Your own reference. The orders get it with `-1`, `-2` and so on, unique within your storefront.
            customer: Who travels.
            max_price: Nothing is placed, with `price_changed`, when one of the orders would cost more.
            metadata: Up to 50 texts of your own, returned with the order.
            quantity: How many orders are placed, each for one eSIM.
            plan_id: The plan to buy.
            idempotency_key: Yours, new for each order and the same whenever you send it again: 1 to 255 printable ASCII
                characters. It answers the same order for ever. A new one is made without it.
            wait: For how many seconds, at most 30, to wait for the order to be answered.
        """
        return await self._send(
            Call(
                method="POST",
                path="/v1/order-batches",
                answer=models.OrderBatch,
                body=body,
                idempotency_key=idempotency_key or new_idempotency_key(),
                wait=wait,
            )
        )

    async def get_batch(self, id: str, /, *, wait: int | None = None) -> models.OrderBatch:
        """The orders of a batch.

        Each as it stands; `Prefer: wait=10` waits for all of them to be answered. Needs the scope `storefront`.

        Args:
            id: The batch's `id`.
            wait: For how many seconds, at most 30, to wait for the order to be answered.
        """
        return await self._send(
            Call(method="GET", path=path_of("/v1/order-batches/{}", id), answer=models.OrderBatch, wait=wait)
        )


class AsyncOrders:
    """The operations of ``/v1/orders``."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    @overload
    async def create(
        self,
        *,
        plan_id: str,
        features: bodies.NeedFeatures | None = None,
        suppliers: bodies.SupplierChoice | None = None,
        reference: str | None = None,
        customer: bodies.Customer | None = None,
        max_price: bodies.PriceLimit | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        wait: int | None = None,
    ) -> models.Order: ...
    @overload
    async def create(
        self,
        *,
        quote_id: str,
        features: bodies.NeedFeatures | None = None,
        suppliers: bodies.SupplierChoice | None = None,
        reference: str | None = None,
        customer: bodies.Customer | None = None,
        max_price: bodies.PriceLimit | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        wait: int | None = None,
    ) -> models.Order: ...
    @overload
    async def create(
        self,
        *,
        number: bodies.NumberChoice,
        suppliers: bodies.SupplierChoice | None = None,
        reference: str | None = None,
        customer: bodies.Customer | None = None,
        max_price: bodies.PriceLimit | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        wait: int | None = None,
    ) -> models.Order: ...
    @overload
    async def create(
        self,
        *,
        good_id: str,
        quantity: int | None = None,
        amount: bodies.PriceLimit | None = None,
        fields: Mapping[str, str] | None = None,
        suppliers: bodies.SupplierChoice | None = None,
        reference: str | None = None,
        customer: bodies.Customer | None = None,
        max_price: bodies.PriceLimit | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        wait: int | None = None,
    ) -> models.Order: ...
    async def create(self, *, idempotency_key: str | None = None, wait: int | None = None, **body: Any) -> models.Order:
        """Place an order.

        For a plan, a virtual number or a digital good (scope `goods`) at its price of now, or for a quote at the price
        that is held. The cheapest offer in stock is bought, once, and the next supplier asked only when it is certain
        that nothing was bought. Sent again under the same Idempotency-Key it answers the same order. A problem uses the
        key not up. `suppliers` needs the scope `routing`. Needs the scope `storefront`.

        Args:
            good_id: The good's `id`.
            quantity: How many; one by default.
            amount: The denomination of a good that has one of one's choice.
            fields: The answers to what the good's product asks for, by the names of its `fields`.
            suppliers: Which suppliers may be asked; needs the scope `routing`.
            reference: Your own reference, unique within your storefront.
            customer: Who travels.
            max_price: The order fails with `price_changed` when it would cost more.
            metadata: Up to 50 texts of your own, returned with the order.
            number: The number to buy.
            quote_id: The quote's `id`.
            features: Features that the offer must have.
            plan_id: The plan to buy.
            idempotency_key: Yours, new for each order and the same whenever you send it again: 1 to 255 printable ASCII
                characters. It answers the same order for ever. A new one is made without it.
            wait: For how many seconds, at most 30, to wait for the order to be answered.
        """
        return await self._send(
            Call(
                method="POST",
                path="/v1/orders",
                answer=models.Order,
                body=body,
                idempotency_key=idempotency_key or new_idempotency_key(),
                wait=wait,
            )
        )

    def list(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        status: models.OrderStatus | None = None,
        kind: models.OrderKind | None = None,
        reference: str | None = None,
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        email: str | None = None,
        metadata: Sequence[str] | None = None,
    ) -> AsyncListing[models.Order, models.OrderPage]:
        """Orders, the newest first.

        Those of your storefront, in the mode of the key. Each filter narrows. Needs the scope `storefront`.

        Args:
            limit: How many at most.
            cursor: Where to go on: the `next_cursor` of a page.
            status: Only orders in this state.
            kind: Only orders of this kind.
            reference: The order with this reference of yours.
            created_from: Only orders from this time on.
            created_to: Only orders from before this time.
            email: Only orders with this `customer.email`.
            metadata: Only orders with this text in their `metadata`, as `key:value`; repeated: with all of them.
        """
        return AsyncListing(
            self._send,
            Call(
                method="GET",
                path="/v1/orders",
                answer=models.OrderPage,
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "status": status,
                    "kind": kind,
                    "reference": reference,
                    "created_from": created_from,
                    "created_to": created_to,
                    "email": email,
                    "metadata": metadata,
                },
            ),
        )

    @overload
    async def validate(
        self,
        *,
        plan_id: str,
        features: bodies.NeedFeatures | None = None,
        suppliers: bodies.SupplierChoice | None = None,
        reference: str | None = None,
        customer: bodies.Customer | None = None,
        max_price: bodies.PriceLimit | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> models.Validated: ...
    @overload
    async def validate(
        self,
        *,
        quote_id: str,
        features: bodies.NeedFeatures | None = None,
        suppliers: bodies.SupplierChoice | None = None,
        reference: str | None = None,
        customer: bodies.Customer | None = None,
        max_price: bodies.PriceLimit | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> models.Validated: ...
    @overload
    async def validate(
        self,
        *,
        number: bodies.NumberChoice,
        suppliers: bodies.SupplierChoice | None = None,
        reference: str | None = None,
        customer: bodies.Customer | None = None,
        max_price: bodies.PriceLimit | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> models.Validated: ...
    @overload
    async def validate(
        self,
        *,
        good_id: str,
        quantity: int | None = None,
        amount: bodies.PriceLimit | None = None,
        fields: Mapping[str, str] | None = None,
        suppliers: bodies.SupplierChoice | None = None,
        reference: str | None = None,
        customer: bodies.Customer | None = None,
        max_price: bodies.PriceLimit | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> models.Validated: ...
    async def validate(self, **body: Any) -> models.Validated:
        """Say whether an order would be taken now.

        Its price, or the problem that it would meet. Nothing is placed and nothing held. Needs the scope `storefront`.

        Args:
            good_id: The good's `id`.
            quantity: How many; one by default.
            amount: The denomination of a good that has one of one's choice.
            fields: The answers to what the good's product asks for, by the names of its `fields`.
            suppliers: Which suppliers may be asked; needs the scope `routing`.
            reference: Your own reference, unique within your storefront.
            customer: Who travels.
            max_price: The order fails with `price_changed` when it would cost more.
            metadata: Up to 50 texts of your own, returned with the order.
            number: The number to buy.
            quote_id: The quote's `id`.
            features: Features that the offer must have.
            plan_id: The plan to buy.
        """
        return await self._send(
            Call(method="POST", path="/v1/orders/validate", answer=models.Validated, body=body, is_harmless=True)
        )

    async def get(self, id: str, /, *, wait: int | None = None) -> models.Order:
        """One order.

        With the scope `ops:read` also what it cost, and each attempt at a supplier. Needs the scope `storefront`.

        Args:
            id: The order's `id`.
            wait: For how many seconds, at most 30, to wait for the order to be answered.
        """
        return await self._send(Call(method="GET", path=path_of("/v1/orders/{}", id), answer=models.Order, wait=wait))

    def list_events(self, id: str, /) -> AsyncListing[models.OrderEvent, models.OrderEventList]:
        """What happened to an order, the oldest first.

        What the gateway did for it, step by step, in words that a storefront may show. Needs the scope `storefront`.

        Args:
            id: The order's `id`.
        """
        return AsyncListing(
            self._send, Call(method="GET", path=path_of("/v1/orders/{}/events", id), answer=models.OrderEventList)
        )

    async def cancel(self, id: str, /, *, wait: int | None = None) -> models.Order:
        """Cancel an order.

        Cancels an unused eSIM where its supplier can; `refund` is then the amount that you get back. The supplier is
        asked once, however often this is sent. An order of which nothing was sent to a supplier yet is cancelled at
        once, whatever its kind. An order whose outcome is not known yet is cancelled when it is. When the supplier
        refuses, the order is fulfilled as before. An eSIM that has top-ups is not cancelled: 409 `has_topups`. Needs
        the scope `storefront`.

        Args:
            id: The order's `id`.
            wait: For how many seconds, at most 30, to wait for the order to be answered.
        """
        return await self._send(
            Call(method="POST", path=path_of("/v1/orders/{}/cancel", id), answer=models.Order, wait=wait)
        )

    def list_emails(self, id: str, /) -> AsyncListing[models.TravellerEmail, models.TravellerEmailList]:
        """The e-mails that were sent to an order's customer.

        Of an order that delivered an eSIM also those about its use and its top-ups. Empty where e-mails are switched
        off, which they are until an operator switches them on for you. Needs the scope `storefront`.

        Args:
            id: The order's `id`.
        """
        return AsyncListing(
            self._send, Call(method="GET", path=path_of("/v1/orders/{}/emails", id), answer=models.TravellerEmailList)
        )

    async def resend_email(self, id: str, /) -> models.TravellerEmail:
        """Send an order's delivery to its customer once more.

        It goes to the order's `customer.email`. Asked for twice within a minute it is sent once. 409 `conflict`:
        e-mails are switched off, or the order has no address or no eSIM to install. Needs the scope `storefront`.

        Args:
            id: The order's `id`.
        """
        return await self._send(
            Call(method="POST", path=path_of("/v1/orders/{}/resend-email", id), answer=models.TravellerEmail)
        )


class AsyncPlans:
    """The operations of ``/v1/plans``."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    def list(
        self,
        *,
        country: Sequence[str] | None = None,
        region: str | None = None,
        scope: models.Scope | None = None,
        min_data_mb: int | None = None,
        unlimited: bool | None = None,
        min_days: int | None = None,
        max_days: int | None = None,
        max_price: Decimal | str | None = None,
        currency: str | None = None,
        in_stock: models.PlansInStock | None = None,
        q: str | None = None,
        updated_since: datetime | None = None,
        triggers: bool | None = None,
        expand: Sequence[Literal["networks"]] | None = None,
        sort: models.PlansSort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        topup: Literal[True] | None = None,
        voice: Literal[True] | None = None,
        sms: Literal[True] | None = None,
        network: Literal["5G"] | None = None,
        operator: str | None = None,
        exit_country: str | None = None,
        not_exit_country: str | None = None,
        hotspot: Literal[True] | None = None,
        voice_minutes: int | None = None,
        sms_count: int | None = None,
        phone_number: Literal[True] | None = None,
        kyc_required: bool | None = None,
        usage: Literal[True] | None = None,
        refundable: Literal[True] | None = None,
    ) -> AsyncListing[models.Plan, models.PlanList]:
        """List plans.

        Each with the cheapest offer in stock that meets the filters, the cheapest plan first. Send the answer's ETag as
        If-None-Match to learn cheaply that nothing changed. Needs the scope `catalog`.

        Args:
            country: Plans that cover this country; repeated: all of them.
            region: Plans of this region (`code` in `/v1/regions`).
            scope: One country, a region, or 100 countries and more.
            min_data_mb: At least this much data in MB. Multiples of 512 count 1024 a GB, other numbers 1000. Only data
                at full speed counts: of a daily plan its amount times its days, or times `min_days` when that is given;
                of an unlimited plan what it states to run at full speed, or what is assumed where it states nothing.
            unlimited: Only plans whose data goes on, be it slower, or none of them.
            min_days: Valid for at least so many days.
            max_days: Valid for at most so many days.
            max_price: The highest price, as an amount of `currency`.
            currency: The currency of prices; the gateway's base currency by default.
            in_stock: What can be sold now, what cannot, or both.
            q: Words of the plan's name.
            updated_since: Plans that changed since this time; ids that left since are listed in `gone`.
            triggers: Plans on which a supplier's sandbox goes wrong on purpose, too. Only test mode has such; one is
                found by its id without this.
            expand: `networks`: each plan with the operators that it uses.
            sort: What to sort by; `-` turns it round.
            limit: How many at most.
            cursor: Where to go on: the `next_cursor` of a page.
            topup: Can be topped up.
            voice: Has voice.
            sms: Has SMS.
            network: 5G in each country asked for, or in some country when none is.
            operator: This operator's network in each country asked for, or in some country when none is: words of its
                name, or its MCC and MNC.
            exit_country: Where traffic reaches the internet; matches only what is known.
            not_exit_country: Traffic does not reach the internet in this country, or, with commas, in any of these;
                matches only what is known.
            hotspot: Can be shared.
            voice_minutes: Includes at least so many minutes of calls.
            sms_count: Includes at least so many SMS.
            phone_number: Has a phone number of its own.
            kyc_required: Whether the traveller must be identified before it works; `false` leaves such plans out.
            usage: Its supplier tells how much is used.
            refundable: Its supplier takes an unused eSIM back.
        """
        return AsyncListing(
            self._send,
            Call(
                method="GET",
                path="/v1/plans",
                answer=models.PlanList,
                query={
                    "country": country,
                    "region": region,
                    "scope": scope,
                    "min_data_mb": min_data_mb,
                    "unlimited": unlimited,
                    "min_days": min_days,
                    "max_days": max_days,
                    "max_price": max_price,
                    "currency": currency,
                    "in_stock": in_stock,
                    "q": q,
                    "updated_since": updated_since,
                    "triggers": triggers,
                    "expand": expand,
                    "sort": sort,
                    "limit": limit,
                    "cursor": cursor,
                    "topup": topup,
                    "voice": voice,
                    "sms": sms,
                    "network": network,
                    "operator": operator,
                    "exit_country": exit_country,
                    "not_exit_country": not_exit_country,
                    "hotspot": hotspot,
                    "voice_minutes": voice_minutes,
                    "sms_count": sms_count,
                    "phone_number": phone_number,
                    "kyc_required": kyc_required,
                    "usage": usage,
                    "refundable": refundable,
                },
            ),
        )

    async def get(self, plan_id: str, /, *, currency: str | None = None) -> models.Plan:
        """One plan.

        410 when it was in the catalogue once and has left it. Needs the scope `catalog`.

        Args:
            plan_id: The plan's `id`.
            currency: The currency of prices; the gateway's base currency by default.
        """
        return await self._send(
            Call(method="GET", path=path_of("/v1/plans/{}", plan_id), answer=models.Plan, query={"currency": currency})
        )


class AsyncQuotes:
    """The operations of ``/v1/quotes``."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    @overload
    async def create(
        self, *, plan_id: str, features: bodies.NeedFeatures | None = None, currency: str | None = None
    ) -> models.Quote: ...
    @overload
    async def create(
        self,
        *,
        countries: Sequence[str],
        data_mb: int | None = None,
        unlimited: bool | None = None,
        days: int | None = None,
        features: bodies.NeedFeatures | None = None,
        currency: str | None = None,
        triggers: bool | None = None,
    ) -> models.Quote: ...
    async def create(self, **body: Any) -> models.Quote:
        """Create a quote.

        Send a need (countries, data, days, features) or a plan's id. The answer is the cheapest plan in stock that
        meets it, its price held until `expires_at`, and why it was chosen. Regional and unlimited plans compete with
        local ones. 404 `no_plan` says what was missing, and lists in `nearest` up to three plans that miss the least of
        it, the cheapest first; 409 `no_stock`: plans match, but none can be sold now. Needs the scope `storefront`.

        Args:
            countries: The countries that the plan must cover, all of them.
            data_mb: The least data at full speed, in MB.
            unlimited: Only plans whose data goes on after the full-speed data. `false` by default.
            days: For at least how many days.
            features: Features that the offer must have.
            currency: The currency of the price; the gateway's base currency by default.
            triggers: In test mode: plans on which a supplier's sandbox goes wrong on purpose compete, too. `false` by
                default.
            plan_id: The plan.
        """
        return await self._send(
            Call(method="POST", path="/v1/quotes", answer=models.Quote, body=body, is_harmless=True)
        )


class AsyncRegions:
    """The operations of ``/v1/regions``."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    def list(self, *, currency: str | None = None) -> AsyncListing[models.RegionEntry, models.RegionList]:
        """Regions.

        Named groups of countries, with how many plans in stock are of each and the lowest price. Needs the scope
        `catalog`.

        Args:
            currency: The currency of prices; the gateway's base currency by default.
        """
        return AsyncListing(
            self._send, Call(method="GET", path="/v1/regions", answer=models.RegionList, query={"currency": currency})
        )


class AsyncWebhookEndpoints:
    """The operations of ``/v1/webhook-endpoints``."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def create(
        self, *, url: str, events: Sequence[models.NoticeType] | None = None, description: str | None = None
    ) -> models.EndpointWithSecret:
        """Create a webhook endpoint.

        Without `events` all are sent. They are signed as Standard Webhooks says, with the `secret` that is shown here
        and never again. An event that is not answered with 2xx is retried ten times within three days; 410 disables the
        endpoint. Needs the scope `storefront`.

        Args:
            url: Where events are sent: an https URL at a public address, without user, password or fragment.
            events: Which events are sent; all when none is named.
            description: What the endpoint is for.
        """
        return await self._send(
            Call(
                method="POST",
                path="/v1/webhook-endpoints",
                answer=models.EndpointWithSecret,
                body={"url": url, "events": events, "description": description},
            )
        )

    def list(self) -> AsyncListing[models.Endpoint, models.EndpointList]:
        """Your endpoints.

        The oldest first, without their secrets. Needs the scope `storefront`.
        """
        return AsyncListing(self._send, Call(method="GET", path="/v1/webhook-endpoints", answer=models.EndpointList))

    async def get(self, id: str, /) -> models.Endpoint:
        """One endpoint.

        Without its secret, which is shown when it is made and when it is rotated. Needs the scope `storefront`.

        Args:
            id: The endpoint's `id`.
        """
        return await self._send(
            Call(method="GET", path=path_of("/v1/webhook-endpoints/{}", id), answer=models.Endpoint)
        )

    async def change(
        self,
        id: str,
        /,
        *,
        url: str | None = None,
        events: Sequence[models.NoticeType] | None = None,
        description: str | None = None,
        status: models.EndpointStatus | None = None,
    ) -> models.Endpoint:
        """Change an endpoint.

        What is left out stays. Disabling calls off what is on its way; enabling sends what happens from then on. Needs
        the scope `storefront`.

        Args:
            id: The endpoint's `id`.
            url: Where events are sent: an https URL at a public address, without user, password or fragment.
            events: Which events are sent; all when none is named.
            description: What the endpoint is for.
            status: A disabled endpoint is sent nothing.
        """
        return await self._send(
            Call(
                method="PATCH",
                path=path_of("/v1/webhook-endpoints/{}", id),
                answer=models.Endpoint,
                body={"url": url, "events": events, "description": description, "status": status},
            )
        )

    async def delete(self, id: str, /) -> models.Endpoint:
        """Delete an endpoint and its delivery log; the answer is the deleted endpoint.

        What is on its way to it is called off. Needs the scope `storefront`.

        Args:
            id: The endpoint's `id`.
        """
        return await self._send(
            Call(method="DELETE", path=path_of("/v1/webhook-endpoints/{}", id), answer=models.Endpoint)
        )

    async def rotate_secret(self, id: str, /) -> models.EndpointWithSecret:
        """Make a new secret.

        For 24 hours each event is signed with both, the new one first. Rotating again within them ends the oldest.
        Needs the scope `storefront`.

        Args:
            id: The endpoint's `id`.
        """
        return await self._send(
            Call(method="POST", path=path_of("/v1/webhook-endpoints/{}/rotate", id), answer=models.EndpointWithSecret)
        )

    async def test(self, id: str, /) -> models.Delivery:
        """Send a test.

        An event of the type `endpoint.test` goes to this endpoint, signed and logged like every other. Needs the scope
        `storefront`.

        Args:
            id: The endpoint's `id`.
        """
        return await self._send(
            Call(method="POST", path=path_of("/v1/webhook-endpoints/{}/test", id), answer=models.Delivery)
        )

    def list_deliveries(
        self, id: str, /, *, limit: int | None = None, cursor: str | None = None
    ) -> AsyncListing[models.Delivery, models.DeliveryPage]:
        """List the deliveries of an endpoint.

        The newest first, each with its attempts. Needs the scope `storefront`.

        Args:
            id: The endpoint's `id`.
            limit: How many at most.
            cursor: Where to go on: the `next_cursor` of a page.
        """
        return AsyncListing(
            self._send,
            Call(
                method="GET",
                path=path_of("/v1/webhook-endpoints/{}/deliveries", id),
                answer=models.DeliveryPage,
                query={"limit": limit, "cursor": cursor},
            ),
        )

    async def replay_delivery(self, id: str, delivery_id: str, /) -> models.Delivery:
        """Send an event again.

        A new delivery of the same event: its `webhook-id` is the same, so that a receiver can tell. Needs the scope
        `storefront`.

        Args:
            id: The endpoint's `id`.
            delivery_id: The delivery's `id`.
        """
        return await self._send(
            Call(
                method="POST",
                path=path_of("/v1/webhook-endpoints/{}/deliveries/{}/replay", id, delivery_id),
                answer=models.Delivery,
            )
        )


class AsyncOperations:
    """All operations, in groups."""

    def __init__(self, send: AsyncSend) -> None:
        self.checkouts = AsyncCheckouts(send)
        self.countries = AsyncCountries(send)
        self.esims = AsyncEsims(send)
        self.events = AsyncEvents(send)
        self.goods = AsyncGoods(send)
        self.me = AsyncMe(send)
        self.numbers = AsyncNumbers(send)
        self.order_batches = AsyncOrderBatches(send)
        self.orders = AsyncOrders(send)
        self.plans = AsyncPlans(send)
        self.quotes = AsyncQuotes(send)
        self.regions = AsyncRegions(send)
        self.webhook_endpoints = AsyncWebhookEndpoints(send)
