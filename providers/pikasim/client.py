"""PikaSim over HTTP: one request a method, pages fetched a few at once under its rate limit."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import msgspec
from msgspec import Raw
from pydantic import Field, SecretStr

from providers.contract import CatalogPage, Manifest, Probe, Provider, SupplierSettings
from providers.kit.mapping_overrides import MappingOverrides
from providers.kit.text import clean_text
from providers.kit.transport import Priority, Transport, segment
from providers.page_reader import Reader
from providers.pikasim import deposits, mapping, orders, webhook, wire
from providers.pikasim.account_reader import AccountReader
from providers.pikasim.walk import Walk
from schemas.account import Balance, DepositSession, SupplierAccount, Transaction
from schemas.errors import InvalidRequest, NotFound, SupplierError
from schemas.esim import EsimStatus
from schemas.event import SupplierEvent
from schemas.money import Money
from schemas.order import Cancellation, PurchaseRequest, SupplierOrder, SupplierOrderState
from schemas.plan import Offer, SetAside

E = TypeVar("E", wire.Esim, wire.Usage, wire.Cancelled)

PAGE_SIZE = 200  # the page's maximum


_UNKNOWN = secrets.token_hex(32)


class PikaSimSettings(SupplierSettings):
    """An account at PikaSim. ``webhook_secret`` is not the key; without it no webhook is believed."""

    base_url: str = "https://pikasim.com/api/v1/reseller"
    api_key: SecretStr = Field(min_length=1)
    webhook_secret: SecretStr | None = Field(default=None, min_length=1)


class PikaSim(Provider):
    """One account at PikaSim."""

    settings: PikaSimSettings

    def __init__(self, manifest: Manifest, name: str, settings: PikaSimSettings, transport: Transport) -> None:
        super().__init__(manifest, name, settings, transport)
        self._headers = {"X-API-Key": settings.api_key.get_secret_value()}
        self._reader = AccountReader(transport, self._headers, name)

    async def catalog(self) -> AsyncIterator[CatalogPage]:
        """Every package, in pages of 200.

        Raises ``UnreadableAnswer`` when the pages do not make a whole: totals that change or differ
        from the rows, a page that repeats another.
        """
        first = await self._packages(1)
        ahead: deque[asyncio.Task[wire.PackagePage]] = deque()
        try:
            walk = Walk(first.pagination)
            reader = Reader(partial(mapping.item, overrides=self.overrides), mapping.code_of, self.recall)
            yield self._mapped(walk, 1, first, reader)
            numbers = iter(range(2, walk.pages + 1))
            for number in range(2, walk.pages + 1):
                while len(ahead) < self.manifest.limits.concurrent_pages and (following := next(numbers, None)):
                    ahead.append(asyncio.create_task(self._packages(following)))
                yield self._mapped(walk, number, await ahead[0], reader)
                ahead.popleft()
            walk.finish()
        except SupplierError as error:
            error.supplier = self.name
            error.detail = self.transport.redact(error.detail)
            raise
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)

    async def plan(self, supplier_plan_id: str, supplier_product_id: str | None = None) -> Offer | SetAside:  # noqa: ARG002 - packages stand alone
        """One package as it stands now. Raises ``NotFound`` when it is gone."""
        if not supplier_plan_id:
            raise NotFound("no packageCode", supplier=self.name)
        data = await self._reader.read(f"/packages/{segment(supplier_plan_id)}", wire.Answer[Raw], Priority.PURCHASE)
        found = mapping.single(data)
        if found.supplier_plan_id != supplier_plan_id:
            raise self._reader.unreadable(f"asked for {supplier_plan_id}, got another package")
        return found

    async def purchase(self, request: PurchaseRequest) -> SupplierOrder:
        """Order one package: one POST with our reference as ``externalOrderId``. The eSIM comes later."""
        return await self._send("/orders", request)

    async def topup(self, request: PurchaseRequest) -> SupplierOrder:
        """Add a package to ``request.iccid``: one POST, answered like an order."""
        if not request.iccid:
            raise InvalidRequest("a top-up needs an ICCID; nothing was sent", supplier=self.name)
        return await self._send(f"{_esim(request.iccid)}/topup", request)

    async def find_order(self, request: PurchaseRequest, supplier_order_id: str | None) -> SupplierOrder | None:
        """An attempt's order: by its id where that is known, else by our reference among the newest orders.

        Lists may lag, so None means only that the order is not shown. Several orders with the reference, or one
        for another package, come as PARTIAL. For one that failed, or is processed for long, the transactions say
        what is still held: one that was given back has failed, whatever it calls itself.
        """
        found = await self._reader.order(supplier_order_id) if supplier_order_id else None
        rows = [self._own(found, request)] if found is not None else await self._reader.orders_of(request)
        if not rows:
            return None
        order = orders.matching_order(rows, request)
        if order.state is SupplierOrderState.COMPLETED and request.iccid is None:
            return await self._delivered(order, request, listed=found is None)
        if orders.needs_transactions(order, request, datetime.now(UTC)):
            entries = [entry async for entry in self._reader.ledger(request.signed_at - orders.CLOCKS_APART)]
            order = orders.settled(order, orders.net_charge(entries, rows[0].order_id))
        return order

    async def topup_plans(self, iccid: str, supplier_plan_id: str) -> list[Offer]:
        """What can be added to an eSIM, by the supplier's own list for it.

        A package in it that names no place counts for where the eSIM was bought for.
        """
        data = await self._reader.read(f"{_esim(iccid)}/topup-options", wire.Answer[Raw], Priority.USAGE)
        with self._reader.reading():
            raws = mapping.topup_options(data)
        found = [mapping.option(raw, ()) for raw in raws]
        if any(isinstance(row, SetAside) for row in found):
            covered = await self._coverage(supplier_plan_id)
            found = [mapping.option(raw, covered) for raw in raws]
        return [row for row in found if isinstance(row, Offer)]

    async def esim_status(self, iccid: str) -> EsimStatus:
        """An eSIM now, by its own page, and by its usage page where that one has no figures."""
        esim = self._same(await self._reader.read(_esim(iccid), wire.Answer[wire.Esim], Priority.USAGE), iccid)
        status = orders.esim_status(esim, datetime.now(UTC))
        if orders.has_figures(status):
            return status
        usage = await self._reader.read(f"{_esim(iccid)}/usage", wire.Answer[wire.Usage], Priority.USAGE)
        return orders.with_usage(status, orders.esim_status(self._same(usage, iccid), datetime.now(UTC)))

    async def cancel(self, iccid: str, deadline: datetime | None = None) -> Cancellation:
        """Give back an eSIM that was never installed: one POST. The refund is the supplier's own number."""
        answer = await self.transport.write(
            "POST",
            f"{_esim(iccid)}/cancel",
            wire.Answer[wire.Cancelled],
            headers=self._headers,
            refusal=mapping.cancel_refusal,
            lax=True,
            deadline=deadline,
        )
        return orders.cancellation(self._same(answer.data, iccid))

    async def balance(self, priority: Priority = Priority.SETTLE) -> Balance:
        """Our money; the credit can be spent besides it."""
        wallet = await self._reader.read("/balance", wire.Answer[wire.Wallet], priority)
        with self._reader.reading():
            return orders.wallet_balance(wallet)

    async def transactions(self, since: datetime) -> AsyncIterator[Transaction]:
        """The wallet's movements, newest first, back to ``since``. Raises ``UnreadableAnswer`` for a broken walk."""
        async with aclosing(self._reader.ledger(since)) as entries:
            async for entry in entries:
                moved = orders.transaction(entry)
                if moved.at >= since:
                    yield moved

    async def order_history(self, since: datetime) -> AsyncIterator[SupplierOrder]:
        """Every order back to ``since``. Raises when one cannot be read."""
        async with aclosing(self._reader.orders_since(since)) as rows:
            async for row in rows:
                order = orders.order(row)
                if order.created_at is None or order.created_at >= since:
                    yield order

    async def account(self) -> SupplierAccount:
        """Who we are to the supplier; an account that is not approved is not active."""
        reported = await self._reader.read("/account", wire.Answer[wire.Account], Priority.SETTLE)
        status = clean_text(reported.status)
        return SupplierAccount(
            name=clean_text(reported.company_name),
            active=status == "approved",
            status=status,
            orders=reported.total_orders,
        )

    async def set_webhook(self, url: str, events: Sequence[str] = ()) -> None:
        """Have notifications sent to ``url``: of every event on the page, unless some are named."""
        await self._put("PUT", "/webhook", wire.WebhookSettings(url, [*(events or webhook.EVENTS)]))

    async def test_webhook(self) -> None:
        """Have a test notification sent."""
        await self._put("POST", "/webhook/test", None)

    def probes(self) -> tuple[Probe, ...]:
        """Credentials, and whether a notification would be believed; every path is fixed by the base URL."""
        return (
            Probe("credentials", ("api_key",), self.account),
            Probe("webhook secret", ("webhook_secret",), self._believing),
        )

    async def deposit(self, way: str, amount: Money) -> DepositSession:
        """Begin a deposit by Stripe or BTCPay: one POST. Nothing is paid before an operator does it at the page."""
        path = deposits.PATHS.get(way)
        if path is None:
            raise InvalidRequest(f"there is no way {way}; nothing was sent", supplier=self.name)
        try:
            body = deposits.body(amount)
        except ValueError as error:
            raise InvalidRequest(f"{error}; nothing was sent", supplier=self.name) from None
        answer = await self.transport.write(
            "POST",
            path,
            wire.DepositAnswer,
            json=body,
            headers=self._headers,
            refusal=mapping.refusal,
            priority=Priority.SETTLE,
            lax=True,
        )
        with self._reader.reading():
            return deposits.session(answer, amount)

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        """Whether it was signed with the webhook's own secret, within a day of ``now``. Without a secret: never."""
        secret = self.settings.webhook_secret
        # Without a secret it is held against one that nobody knows, which takes as long.
        return webhook.verify(headers, body, _UNKNOWN if secret is None else secret.get_secret_value(), now)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[SupplierEvent]:  # noqa: ARG002 - all of it stands in the body
        """The event of a verified body. Raises ``ValueError`` for one that is no notification."""
        return webhook.parse(body)

    def remap(self, raw: bytes, overrides: MappingOverrides | None) -> Offer | SetAside | None:
        """A set-aside package mapped once more."""
        return mapping.item(Raw(raw), overrides)

    async def _believing(self) -> None:
        if self.settings.webhook_secret is None:
            raise InvalidRequest("no webhook_secret is set, so no notification is believed")

    async def _put(self, method: str, path: str, body: wire.WebhookSettings | None) -> None:
        await self.transport.write(
            method,
            path,
            wire.Done,
            json=body,
            headers=self._headers,
            refusal=mapping.refusal,
            priority=Priority.SETTLE,
            lax=True,
        )

    # --- orders and money -------------------------------------------------------------------------------

    async def _send(self, path: str, request: PurchaseRequest) -> SupplierOrder:
        answer = await self.transport.write(
            "POST",
            path,
            wire.Answer[wire.Order],
            json=wire.NewOrder(package_code=request.supplier_plan_id, external_order_id=request.reference),
            headers=self._headers,
            refusal=mapping.refusal,
            lax=True,
            deadline=request.deadline,
        )
        return orders.order(self._own(answer.data, request), request.iccid)

    def _own(self, found: wire.Order, request: PurchaseRequest) -> wire.Order:
        """An order that is this attempt's. Raises ``UnreadableAnswer``, which leaves it unknown, when it is not."""
        if found.external_order_id not in (None, request.reference):
            raise self._reader.unreadable("the order has another externalOrderId")
        return found

    async def _delivered(self, reported: SupplierOrder, request: PurchaseRequest, *, listed: bool) -> SupplierOrder:
        """A completed order with its eSIM, which a list may leave out, as an order may its code; else pending."""
        if reported.delivery is None and listed and reported.supplier_order_id:
            whole = await self._reader.order(reported.supplier_order_id)
            reported = reported if whole is None else orders.matching_order([self._own(whole, request)], request)
        delivery = reported.delivery
        if delivery is None:
            return msgspec.structs.replace(reported, state=SupplierOrderState.PENDING)
        if delivery.smdp_address is not None or delivery.iccid is None:
            return reported
        try:
            esim = await self._reader.read(_esim(delivery.iccid), wire.Answer[wire.Esim], Priority.SETTLE)
        except NotFound:
            return reported
        fuller = orders.delivery_of_esim(self._same(esim, delivery.iccid))
        own = esim.external_order_id in (None, request.reference)  # ICCIDs come back
        return msgspec.structs.replace(reported, delivery=fuller) if own and fuller.smdp_address else reported

    async def _coverage(self, supplier_plan_id: str) -> tuple[str, ...]:
        try:
            bought = await self.plan(supplier_plan_id)
        except NotFound:
            return ()
        return bought.coverage if isinstance(bought, Offer) else ()

    def _same(self, answer: E, iccid: str) -> E:
        if answer.iccid != iccid:
            raise self._reader.unreadable("asked for one eSIM, got another")
        return answer

    async def _packages(self, number: int) -> wire.PackagePage:
        params = wire.PackageQuery(page=number, limit=PAGE_SIZE).params()
        return await self._reader.read("/packages", wire.Answer[wire.PackagePage], Priority.SYNC, params)

    def _mapped(self, walk: Walk, number: int, page: wire.PackagePage, reader: Reader) -> CatalogPage:
        reading = reader(page.packages, walk.total)
        walk.take(number, page.pagination, reading.ids)
        return reading.page


def _esim(iccid: str) -> str:
    return f"/esims/{segment(iccid)}"
