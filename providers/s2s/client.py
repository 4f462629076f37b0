"""S2S over HTTP: one request a method, walks by cursor."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import msgspec

from providers.contract import Capability, CatalogPage, GoodsPage, Manifest, Probe, Provider
from providers.kit.mapping_overrides import MappingOverrides
from providers.kit.text import clean_text
from providers.kit.transport import Params, Priority, Transport, segment
from providers.s2s import goods, mapping, orders, signatures, vouchers, webhook, wire
from providers.s2s.goods_walk import GoodsCollector, walk_goods
from providers.s2s.join import ESIM, Join
from providers.s2s.probing import Probing
from providers.s2s.settings import S2SSettings
from providers.s2s.sources import AttributeCodes
from schemas.account import Balance, SupplierAccount, Transaction
from schemas.errors import InvalidRequest, NotFound, NotSupported, UnreadableAnswer
from schemas.esim import EsimStatus
from schemas.event import SupplierEvent
from schemas.good import Good, GoodCategory
from schemas.money import Money
from schemas.order import PurchaseRequest, SupplierOrder, SupplierOrderState
from schemas.plan import Offer, SetAside

T = TypeVar("T")

PER_PAGE = 200
PER_HISTORY_PAGE = 100
# No real catalogue comes near 2 million SKUs; cursors without end do.
MOST_PAGES = 10_000
# A search by our reference gives one order; a supplier that ignores the search gives all of them.
MOST_PAGES_SEARCHED = 20
OTHER_TYPES = tuple(name for name in wire.PRODUCT_TYPES if name != ESIM)
# Signed times hold for five minutes either way, so no clock of theirs is further off than that.
CLOCKS_APART = timedelta(seconds=2 * signatures.TOLERANCE_SECONDS)
# After this long a history without a line of an order will not get one any more.
HISTORY_SETTLES = timedelta(seconds=60)

_order = msgspec.json.Decoder(wire.Order, strict=False)
_referenced = msgspec.json.Decoder(wire.Referenced, strict=False)
_move = msgspec.json.Decoder(wire.BalanceMove, strict=False)
_BROKEN = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)


class S2S(Provider):
    """One account at S2S."""

    settings: S2SSettings

    def __init__(self, manifest: Manifest, name: str, settings: S2SSettings, transport: Transport) -> None:
        super().__init__(manifest, name, settings, transport)
        self._headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}"}
        self._secret = settings.partner_secret.get_secret_value()

    async def catalog(self) -> AsyncIterator[CatalogPage]:
        """Every eSIM SKU, joined from price list and products; products of other types are only counted."""
        join = Join(self._codes(), self.overrides)
        async for page in self._esims(join):
            yield page
        yield join.left_over()
        for product_type in OTHER_TYPES:
            async for rows in self._walk(self.settings.paths.products, {"type": product_type, "per_page": PER_PAGE}):
                yield join.other_products(rows)

    async def plan(self, supplier_plan_id: str, supplier_product_id: str | None = None) -> Offer | SetAside:
        """One SKU out of the answer about its product. Raises ``NotFound`` when either is gone.

        The page has no call for one SKU, so without the product of an offer nothing can be asked: ``NotSupported``.
        """
        if not supplier_product_id:
            reason = "the SKU's product is not known before the next sync"
            raise NotSupported(self.name, Capability.PLAN_LOOKUP.value, reason)
        product = await self._product(supplier_product_id, Priority.PURCHASE)
        try:
            found = mapping.of_product(product, supplier_plan_id, self._codes(), self.overrides)
        except _BROKEN:
            raise UnreadableAnswer("the SKU cannot be read", supplier=self.name) from None
        if found is None or product.type != ESIM:
            raise NotFound("the product has no such SKU", supplier=self.name)
        return found

    async def purchase(self, request: PurchaseRequest) -> SupplierOrder:
        """Buy one SKU, signed over the attempt's own time. A used reference raises ``DuplicateReference``."""
        body = wire.NewOrder(request.reference, wire.NewOrderItem(request.supplier_plan_id))
        signed = signatures.order_headers(self._secret, request.signed_at, request.supplier_plan_id, request.reference)
        return await self._send(self.settings.paths.orders, body, signed, request)

    async def topup(self, request: PurchaseRequest) -> SupplierOrder:
        """Add a SKU's data to ``request.iccid``, signed over the ICCID. As ``purchase`` otherwise."""
        if not request.iccid:
            raise InvalidRequest("a top-up needs an ICCID; nothing was sent", supplier=self.name)
        path = self.settings.paths.esim_topup.replace("{iccid}", segment(request.iccid))
        body = wire.NewTopUp(request.reference, request.supplier_plan_id or None)
        signed = signatures.topup_headers(self._secret, request.signed_at, request.iccid, request.reference)
        return await self._send(path, body, signed, request)

    async def goods(self) -> AsyncIterator[GoodsPage]:
        """Every voucher and recharge in one page: nothing of it is whole before the price list is."""
        settings, paths = self.settings, self.settings.paths
        collector = GoodsCollector(settings.goods, await self._currency(Priority.SYNC), settings.locale)
        yield await walk_goods(self._walk, paths.products, paths.pricelist, PER_PAGE, collector, settings.locale)

    async def good(self, product_id: str, sku: str) -> Good:
        """One SKU out of the answer about its product. Raises ``NotFound`` when either is gone."""
        product = await self._product(product_id, Priority.SETTLE)
        fixed = product.denomination_type == goods.FIXED
        currency = "" if fixed else await self._currency(Priority.SETTLE)
        try:
            found = goods.of_product(product, sku, self.settings.goods, currency)
        except _BROKEN:
            raise UnreadableAnswer("the SKU cannot be read", supplier=self.name) from None
        if found is None:
            raise NotFound("the product has no such SKU", supplier=self.name)
        if isinstance(found, SetAside):
            raise UnreadableAnswer(f"the SKU cannot be sold: {found.detail}", supplier=self.name)
        return msgspec.structs.replace(found, locale=self.settings.locale)

    async def good_categories(self, locale: str | None = None) -> list[GoodCategory]:
        """The categories in a language, the account's own by default."""
        params: Params = {"locale": locale or self.settings.locale}
        answer = await self._read(self.settings.paths.categories, wire.CategoriesAnswer, Priority.SYNC, params)
        return goods.categories(answer.data)

    async def purchase_good(self, request: PurchaseRequest) -> SupplierOrder:
        """Buy a voucher or recharge, signed as any order. As ``purchase`` otherwise."""
        if request.good is None:
            raise InvalidRequest("nothing says what to buy; nothing was sent", supplier=self.name)
        body = vouchers.new_order(request.reference, request.good, self.settings.goods.amount)
        signed = signatures.order_headers(self._secret, request.signed_at, request.good.sku, request.reference)
        return await self._send(self.settings.paths.orders, body, signed, request)

    async def find_order(self, request: PurchaseRequest, supplier_order_id: str | None) -> SupplierOrder | None:
        """An attempt's order: by its id where that is known, else by our reference, to the letter.

        Of one that failed or was cancelled ``charged`` is what the balance history shows the supplier to hold
        for it, zero when nothing stands; None while the history may not show everything yet.
        """
        found = await self._by_id(supplier_order_id) if supplier_order_id else None
        if found is None:
            found = await self._by_reference(request.reference)
        if found is None:
            return None
        order = self._reported(found, request)
        if order.state in orders.NOTHING_TAKEN:
            order = msgspec.structs.replace(order, charged=await self._held(found, request))
        return order

    async def topup_plans(self, iccid: str, supplier_plan_id: str) -> list[Offer]:
        """The SKU that the eSIM was bought as, at today's price; nothing when it cannot be renewed or is gone.

        One SKU cannot be asked for, so this walks the catalogue up to it. eSIM SKUs of the same coverage can be
        added too; which those are the caller knows (``Manifest.topup_same_coverage``).
        """
        if (await self.esim_status(iccid)).can_topup is False:
            return []
        join = Join(self._codes(), self.overrides)
        async with aclosing(self._esims(join)) as pages:
            async for page in pages:
                for offer in page.offers:
                    if offer.supplier_plan_id == supplier_plan_id:
                        return [offer]
        return []

    async def esim_status(self, iccid: str) -> EsimStatus:
        """An eSIM now. Raises ``NotFound`` for one that was not bought here."""
        answer = await self._read(
            self.settings.paths.esim_status.replace("{iccid}", segment(iccid)), wire.EsimStatusAnswer, Priority.USAGE
        )
        if not orders.same_iccid(answer.data.iccid, iccid):
            raise UnreadableAnswer("asked for one eSIM, got another", supplier=self.name)
        return orders.esim_status(answer.data, datetime.now(UTC))

    async def balance(self, priority: Priority = Priority.SETTLE) -> Balance:
        """Our money; the overdraft is ours to spend too."""
        return (await self._balance(priority))[1]

    async def transactions(self, since: datetime) -> AsyncIterator[Transaction]:
        """The balance history, newest first, back to ``since``; its times are in whole seconds."""
        since = since.replace(microsecond=0)
        async for lines in self._history(since):
            for _, moved in lines:
                if moved.at >= since:
                    yield moved

    async def order_history(self, since: datetime) -> AsyncIterator[SupplierOrder]:
        """Every order back to ``since``, newest first. Raises when one cannot be read."""
        params: Params = {"per_page": PER_HISTORY_PAGE}
        async for rows in self._walk(self.settings.paths.orders, params, Priority.SETTLE):
            try:
                orders_read = [orders.order(_order.decode(raw)) for raw in rows]
            except _BROKEN:
                raise UnreadableAnswer("an order in the list cannot be read", supplier=self.name) from None
            for order in orders_read:
                if order.created_at is None or order.created_at >= since.replace(microsecond=0):
                    yield order
            # A day beyond, for a row or two may stand out of order.
            if (
                orders_read
                and orders_read[-1].created_at is not None
                and orders_read[-1].created_at < since - CLOCKS_APART
            ):
                return

    async def account(self) -> SupplierAccount:
        """Who we are to the supplier."""
        partner = (await self._read(self.settings.paths.me, wire.MeAnswer)).data.partner
        return SupplierAccount(name=clean_text(partner.name), active=partner.is_active, currency=partner.currency)

    def probes(self) -> tuple[Probe, ...]:
        """Credentials, each path, and the signature by an order that cannot be bought."""
        return Probing(self.transport, self.settings, self._headers).all(self.account)

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        """Whether X-Signature covers time, event and key, and the time is within five minutes of ``now``."""
        return webhook.verify(headers, body, self._secret, now)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> list[SupplierEvent]:  # noqa: ARG002 - nothing of it stands there
        """The event, and which order it is about; what the body says of the order is not signed and not read."""
        return webhook.parse(body)

    def remap(self, raw: bytes, overrides: MappingOverrides | None) -> Offer | SetAside | None:
        """A set-aside SKU mapped once more."""
        return mapping.kept(raw, self._codes(), overrides)

    def _codes(self) -> AttributeCodes:
        return AttributeCodes(**self.settings.attributes.model_dump())

    async def _send(
        self, path: str, body: msgspec.Struct, signed: Mapping[str, str], request: PurchaseRequest
    ) -> SupplierOrder:
        answer = await self.transport.write(
            "POST",
            path,
            wire.OrderAnswer,
            json=body,
            headers={**self._headers, **signed},
            refusal=mapping.refusal,
            lax=True,
            deadline=request.deadline,
        )
        return self._reported(answer.data, request)

    def _reported(self, found: wire.Order, request: PurchaseRequest) -> SupplierOrder:
        """An order that is this attempt's. Raises ``UnreadableAnswer``, which leaves it unknown, when it is not."""
        if found.external_id != request.reference:
            raise UnreadableAnswer("the order that was answered has another external_id", supplier=self.name)
        order = orders.order(found, request.iccid)
        bought, quantity = request.supplier_plan_id, 1
        if request.good is not None:
            bought, quantity = request.good.sku, request.good.quantity
            codes = vouchers.codes(found, recharge=request.good.recharge)
            order = msgspec.structs.replace(order, delivery=None, codes=codes)
        if order.state not in orders.NOTHING_TAKEN and not orders.is_for(found, bought, quantity):
            word = "the order is for something else than was bought"
            return msgspec.structs.replace(order, state=SupplierOrderState.PARTIAL, error=word)
        return msgspec.structs.replace(order, error=order.error and self.transport.redact(order.error))

    async def _product(self, product_id: str, priority: Priority) -> wire.Product:
        path = self.settings.paths.product.replace("{uuid}", segment(product_id))
        answer = await self._read(path, wire.ProductAnswer, priority, {"locale": self.settings.locale})
        if answer.data.id != product_id:
            raise UnreadableAnswer("asked for one product, got another", supplier=self.name)
        return answer.data

    async def _by_id(self, order_id: str) -> wire.Order | None:
        path = self.settings.paths.order.replace("{uuid}", segment(order_id))
        try:
            answer = await self._read(path, wire.OrderAnswer)
        except NotFound:
            return None
        if answer.data.id != order_id:
            raise UnreadableAnswer("asked for one order, got another", supplier=self.name)
        return answer.data

    async def _by_reference(self, reference: str) -> wire.Order | None:
        """The order with exactly this ``external_id``: a search may also give those that are alike."""
        pages = 0
        params: Params = {"external_id": reference, "per_page": PER_HISTORY_PAGE}
        async for rows in self._walk(self.settings.paths.orders, params, Priority.SETTLE):
            if (pages := pages + 1) > MOST_PAGES_SEARCHED:
                raise UnreadableAnswer("the search by external_id finds no end", supplier=self.name)
            for raw in rows:
                try:
                    if _referenced.decode(raw).external_id == reference:
                        return _order.decode(raw)
                except _BROKEN:
                    # It may be the one that is looked for, so it must not count as absent.
                    raise UnreadableAnswer("an order in the list cannot be read", supplier=self.name) from None
        return None

    async def _held(self, found: wire.Order, request: PurchaseRequest) -> Money | None:
        lines = [line async for page in self._history(request.signed_at - CLOCKS_APART) for line in page]
        net_charge = orders.net_charge((moved for _, moved in lines), found.id)
        if net_charge is not None:
            return net_charge
        # No line may mean no charge, or a history that is behind. It is not when its last line says our balance now.
        settled = datetime.now(UTC) - request.signed_at > HISTORY_SETTLES
        now, ours = await self._balance()
        if settled or (lines and lines[0][0].balance_after == now.balance):
            return Money(Decimal(0), ours.balance.currency)
        return None

    async def _history(self, since: datetime) -> AsyncIterator[list[tuple[wire.BalanceMove, Transaction]]]:
        """The balance history in pages, newest first, up to the page that reaches beyond ``since``."""
        params = {"per_page": PER_HISTORY_PAGE}
        async for rows in self._walk(self.settings.paths.balance_history, params, Priority.SETTLE):
            try:
                moves = [_move.decode(raw) for raw in rows]
                lines = [(move, orders.transaction(move)) for move in moves]
            except _BROKEN:
                raise UnreadableAnswer("a line of the balance history cannot be read", supplier=self.name) from None
            yield lines
            if lines and lines[-1][1].at < since:
                return

    async def _currency(self, priority: Priority) -> str:
        """The currency of our account: a denomination of one's choice is charged in it."""
        return (await self._balance(priority))[1].balance.currency

    async def _balance(self, priority: Priority = Priority.SETTLE) -> tuple[wire.Balance, Balance]:
        answer = (await self._read(self.settings.paths.balance, wire.BalanceAnswer, priority)).data
        try:
            return answer, orders.balance(answer)
        except ValueError:
            raise UnreadableAnswer("the balance is no number", supplier=self.name) from None

    async def _esims(self, join: Join) -> AsyncGenerator[CatalogPage, None]:
        """The eSIM SKUs: all prices first, then a page for each page of products."""
        paths = self.settings.paths
        params: Params = {"type": ESIM, "locale": self.settings.locale, "per_page": PER_PAGE}
        async for rows in self._walk(paths.pricelist, params):
            join.add_prices(rows)
        priced = join.priced
        async for rows in self._walk(paths.products, {**params, "include_skus": True}):
            yield replace(join.products(rows), total=priced)

    async def _walk(
        self, path: str, params: Params, priority: Priority = Priority.SYNC
    ) -> AsyncIterator[list[msgspec.Raw]]:
        """The pages of a list. Raises ``UnreadableAnswer`` unless it ends with a page that says it is the last."""
        cursors: set[str] = set()
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = await self._read(path, wire.Page, priority, {**params, "cursor": cursor}, lax=False)
            cursor = page.meta.next_cursor or None
            if cursor is None:
                yield page.data
                return
            if cursor in cursors:
                raise UnreadableAnswer(f"{path}: a cursor came twice; the walk would not end", supplier=self.name)
            if not page.data:
                raise UnreadableAnswer(f"{path}: an empty page that is not the last one", supplier=self.name)
            cursors.add(cursor)
            yield page.data
        raise UnreadableAnswer(f"{path}: no end after {MOST_PAGES} pages", supplier=self.name)

    async def _read(
        self,
        path: str,
        kind: type[T],
        priority: Priority = Priority.SETTLE,
        params: Params | None = None,
        *,
        lax: bool = True,
    ) -> T:
        return await self.transport.read(
            path,
            kind,
            params=params,
            headers=self._headers,
            refusal=mapping.refusal,
            priority=priority,
            lax=lax,
        )
