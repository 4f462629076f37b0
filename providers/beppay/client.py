"""BepPay over HTTP: one request a method."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from datetime import datetime
from functools import partial
from typing import TypeVar

import msgspec
from msgspec import Raw
from pydantic import Field, SecretStr

from providers.beppay import keys, mapping, numbers, orders, wire
from providers.contract import CatalogPage, Probe, Provider, SupplierSettings
from providers.kit.mapping_overrides import MappingOverrides
from providers.kit.transport import Priority
from providers.page_reader import Reader
from schemas.account import Balance, NewSupplierKey, NumberCountry, NumberTier, SupplierKey
from schemas.errors import InvalidRequest, NotAuthorised, NotFound, UnreadableAnswer
from schemas.order import Delivery, NumberWanted, PurchaseRequest, SupplierOrder
from schemas.plan import Offer, SetAside

T = TypeVar("T")
PLANS = "/api/partner/esim/plans"
PURCHASE = "/api/partner/esim/purchase"
HISTORY = "/api/partner/esim/orders"
BALANCE = "/api/partner/balance"
KEYS = "/api/partner/keys"
NUMBER_COUNTRIES = "/api/partner/virtual-numbers/countries"
NUMBER_TIERS = "/api/partner/virtual-numbers/tiers"
NUMBER_PURCHASE = "/api/partner/virtual-numbers/purchase"
NUMBER_HISTORY = "/api/partner/virtual-numbers/orders"
AT_ONCE = 500  # plans mapped before others get a turn: the whole list comes in one answer


class BepPaySettings(SupplierSettings):
    """An account at BepPay. The catalogue is public; ``api_key`` is for what is not.

    ``email_domain`` is a domain of ours, for the address that each purchase is made with: the one word of
    ours that a purchase carries.
    """

    base_url: str = "https://esim.beppay.com"
    api_key: SecretStr | None = Field(default=None, min_length=1)
    email_domain: str | None = Field(default=None, max_length=190, pattern=r"^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")


class BepPay(Provider):
    """One account at BepPay."""

    settings: BepPaySettings

    async def catalog(self) -> AsyncIterator[CatalogPage]:
        """Every plan. The list has no paging, so it is whole as soon as it is read.

        The call is public and goes without the key: a key that was revoked does not empty the shelves.
        A ``total`` that differs from the rows is a warning; a list without a single one of the plans that
        ``total`` counts is no list, and raises ``UnreadableAnswer``.
        """
        answer = await self.transport.read(PLANS, wire.Plans, refusal=mapping.refusal, lax=True)
        reader = Reader(partial(mapping.item, overrides=self.overrides), mapping.plan_id_of, self.recall)
        rows = len(answer.data)
        if not rows and answer.total:
            raise UnreadableAnswer(f"an empty list, and total says {answer.total}", supplier=self.name)
        if answer.total is not None and answer.total != rows:
            yield CatalogPage(total=rows, warnings=(f"total says {answer.total}, the list has {rows} plans",))
        for start in range(0, rows, AT_ONCE):
            yield reader(answer.data[start : start + AT_ONCE], rows).page
            await asyncio.sleep(0)

    async def purchase(self, request: PurchaseRequest) -> SupplierOrder:
        """Buy one eSIM: one POST, answered with the eSIM itself.

        The answer names no order; ``find_order`` learns its id. Without a key or an address for the attempt
        nothing is sent.
        """
        body = wire.Purchase(plan_id=request.supplier_plan_id, email=self._email(request))
        answer = await self.transport.write(
            "POST",
            PURCHASE,
            bytes,
            json=body,
            headers=self._headers(),
            refusal=mapping.refusal,
            deadline=request.deadline,
        )
        try:
            order = orders.purchase_answer(answer)
        except (ValueError, RecursionError):
            raise UnreadableAnswer("the answer to a purchase cannot be read", supplier=self.name) from None
        if order.delivery is None or order.delivery.qr_image is None:
            return order
        return msgspec.structs.replace(order, delivery=await self._read_picture(order.delivery))

    async def find_order(
        self,
        request: PurchaseRequest,
        supplier_order_id: str | None,  # noqa: ARG002 - there is no call for one order, and the address is ours alone
    ) -> SupplierOrder | None:
        """What the order history shows of an attempt: the row that was bought with its own address.

        The history tells the ICCID and never the activation code. Two rows of one attempt, or one for another
        plan, come as PARTIAL. Raises ``UnreadableAnswer`` when the history holds more than it shows and what
        it shows begins after the attempt.
        """
        email = self._email(request)
        answer = await self._history()
        try:
            rows = orders.history(answer.data, request.reference)
        except ValueError as error:
            raise UnreadableAnswer(str(error), supplier=self.name) from None
        if own := orders.attempt_s_own(rows, request, email):
            return orders.found(own, request)
        if not orders.reaches_back(rows, answer.total, request.signed_at):
            raise UnreadableAnswer(
                f"the history shows {len(answer.data)} of {answer.total} orders, all of them later", supplier=self.name
            )
        return None

    async def order_history(self, since: datetime) -> AsyncIterator[SupplierOrder]:
        """Every order back to ``since``; one without a time counts as later. Raises when one cannot be read."""
        answer = await self._history()
        try:
            rows = orders.history(answer.data, "")
        except ValueError:
            raise UnreadableAnswer("an order in the history cannot be read", supplier=self.name) from None
        if not orders.reaches_back(rows, answer.total, since):
            raise UnreadableAnswer(f"the history shows {len(rows)} of {answer.total} orders", supplier=self.name)
        for row in rows:
            order = orders.from_history(row)
            if order.created_at is None or order.created_at >= since:
                yield order

    async def number_countries(self) -> list[NumberCountry]:
        """Where virtual numbers can be bought. The call is public and goes without the key."""
        answer = await self.transport.read(NUMBER_COUNTRIES, wire.History, refusal=mapping.refusal, lax=True)
        return self._whole(numbers.countries(answer.data), answer)

    async def number_tiers(self) -> list[NumberTier]:
        """How long virtual numbers are held, and for how much. The call is public and goes without the key."""
        answer = await self.transport.read(NUMBER_TIERS, wire.History, refusal=mapping.refusal, lax=True)
        return self._whole(numbers.tiers(answer.data), answer)

    async def purchase_number(self, request: PurchaseRequest) -> SupplierOrder:
        """Buy one number: one POST, answered with the number itself. The answer names no order."""
        wanted = self._wanted(request)
        answer = await self.transport.write(
            "POST",
            NUMBER_PURCHASE,
            bytes,
            json=wire.NumberPurchase(
                country_code=wanted.country, country_name=wanted.country_name, tier_id=wanted.tier_id
            ),
            headers=self._headers(),
            refusal=mapping.refusal,
            deadline=request.deadline,
        )
        try:
            return numbers.purchase_answer(answer, wanted)
        except (ValueError, RecursionError):
            raise UnreadableAnswer("the answer to a purchase cannot be read", supplier=self.name) from None

    async def find_number(
        self, request: PurchaseRequest, supplier_order_id: str | None, taken: Collection[str]
    ) -> SupplierOrder | None:
        """What the history of numbers shows of an attempt, by country, tier and time: no word of ours stands in it.

        Raises ``UnreadableAnswer`` when more than one order could be it, when one could be it if clocks were wrong,
        and when the history holds more than it shows and what it shows begins after the attempt.
        """
        wanted = self._wanted(request)
        answer = await self._number_history()
        try:
            rows = numbers.history(answer.data, wanted)
            own = numbers.attempt_s_own(rows, request, supplier_order_id, taken, self.settings.timeout_seconds)
        except ValueError as error:
            raise UnreadableAnswer(str(error), supplier=self.name) from None
        if own is not None:
            return numbers.from_history(own)
        if not numbers.reaches_back(rows, len(answer.data), answer.total, request.signed_at):
            raise UnreadableAnswer(
                f"the history shows {len(rows)} of {answer.total} numbers, all of them later", supplier=self.name
            )
        return None

    async def number_orders(self, since: datetime) -> AsyncIterator[SupplierOrder]:
        """Every number back to ``since``; one without a time counts as later. Raises when one cannot be read."""
        answer = await self._number_history()
        try:
            rows = numbers.history(answer.data, None)
        except ValueError:
            raise UnreadableAnswer("a number in the history cannot be read", supplier=self.name) from None
        if not numbers.reaches_back(rows, len(answer.data), answer.total, since):
            raise UnreadableAnswer(f"the history shows {len(rows)} of {answer.total} numbers", supplier=self.name)
        for row in rows:
            order = numbers.from_history(row)
            if order.created_at is None or order.created_at >= since:
                yield order

    def remap(self, raw: bytes, overrides: MappingOverrides | None) -> Offer | SetAside | None:
        """A set-aside plan mapped once more."""
        return mapping.item(Raw(raw), overrides)

    async def balance(self, priority: Priority = Priority.SETTLE) -> Balance:
        """Our money across all wallets, in USD."""
        answer = await self.transport.read(
            BALANCE,
            wire.Answer[wire.Wallets],
            headers=self._headers(),
            refusal=mapping.refusal,
            priority=priority,
            lax=True,
        )
        try:
            return orders.balance(answer.data)
        except ValueError as error:
            raise UnreadableAnswer(str(error), supplier=self.name) from None

    async def keys(self) -> list[SupplierKey]:
        """The keys of our account, revoked ones too."""
        answer = await self.transport.read(
            KEYS,
            wire.Answer[list[wire.ApiKey]],
            headers=self._headers(),
            refusal=mapping.refusal,
            priority=Priority.SETTLE,
            lax=True,
        )
        return [keys.key(row) for row in answer.data]

    async def create_key(self, name: str, deadline: datetime | None = None) -> NewSupplierKey:
        """Make a key. The answer alone ever shows it, and without its id."""
        answer = await self.transport.write(
            "POST",
            KEYS,
            wire.Answer[wire.CreatedKey],
            json=wire.NewKey(name),
            headers=self._headers(),
            refusal=mapping.refusal,
            priority=Priority.SETTLE,
            lax=True,
            deadline=deadline,
        )
        try:
            return keys.created(answer.data)
        except ValueError as error:
            raise UnreadableAnswer(str(error), supplier=self.name) from None

    async def revoke_key(self, key_id: str) -> None:
        """Take a key out of use. One that is not there any more needs nothing done."""
        try:
            await self.transport.write(
                "DELETE",
                KEYS,
                wire.Revoked,
                params={"id": key_id},
                headers=self._headers(),
                refusal=mapping.refusal,
                priority=Priority.SETTLE,
                lax=True,
            )
        except NotFound:
            return

    def with_key(self, secret: str) -> BepPaySettings:
        """These settings with another ``api_key``."""
        return self.settings.model_copy(update={"api_key": SecretStr(secret)})

    def probes(self) -> tuple[Probe, ...]:
        """Credentials, and whether a purchase has an address to be made with; every path is fixed by the base URL."""
        return (
            Probe("credentials", ("api_key",), self.keys),
            Probe("purchases", ("email_domain",), self._addressed),
        )

    async def _addressed(self) -> None:
        if self.settings.email_domain is None:
            raise InvalidRequest("no email_domain is set, so nothing can be bought")

    def _whole(self, found: list[T], answer: wire.History) -> list[T]:
        if not found and (answer.data or answer.total):
            raise UnreadableAnswer(f"a list of {len(answer.data)} rows, and none can be read", supplier=self.name)
        return found

    def _wanted(self, request: PurchaseRequest) -> NumberWanted:
        if request.number is None:
            raise InvalidRequest("nothing was sent: no country and tier", supplier=self.name)
        return request.number

    async def _number_history(self) -> wire.History:
        return await self.transport.read(
            NUMBER_HISTORY,
            wire.History,
            headers=self._headers(),
            refusal=mapping.refusal,
            priority=Priority.SETTLE,
            lax=True,
        )

    async def _history(self) -> wire.History:
        return await self.transport.read(
            HISTORY,
            wire.History,
            headers=self._headers(),
            refusal=mapping.refusal,
            priority=Priority.SETTLE,
            lax=True,
        )

    async def _read_picture(self, delivery: Delivery) -> Delivery:
        # In a thread, which the decoder leaves free to run beside the others: at worst it takes a second.
        return await asyncio.to_thread(orders.with_picture, delivery)

    def _headers(self) -> dict[str, str]:
        if self.settings.api_key is None:
            raise NotAuthorised("nothing was sent: no api_key is set", supplier=self.name)
        return {"Authorization": f"Bearer {self.settings.api_key.get_secret_value()}"}

    def _email(self, request: PurchaseRequest) -> str:
        if request.email:
            return request.email
        domain = self.settings.email_domain
        email = orders.email_for(request.reference, domain) if domain else None
        if email is None:
            raise InvalidRequest("nothing was sent: no address for this attempt, set email_domain", supplier=self.name)
        return email
