"""bePaid over HTTP: one request a method. No redirect is followed: with one it says that a product is unknown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Raw
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from providers.bepaid import mapping, notice, wire
from providers.contract import Manifest, PaymentProvider, SupplierSettings
from providers.kit.transport import Priority, RefusalTable, Transport, segment
from schemas.errors import NotFound, SupplierError, UnreadableAnswer
from schemas.payment import PaymentLink, PaymentLinkRequest, PaymentNotice

T = TypeVar("T")
Percent = Annotated[Decimal, Field(ge=0, le=100)]
Amount = Annotated[Decimal, Field(ge=0)]


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_key(value: str) -> str:
    notice.public_key(value)
    return value


class BePaidSettings(SupplierSettings):
    """A shop at bePaid.

    ``public_key`` is bePaid's, of this shop: notifications are verified with it. ``language`` is the payment page's
    where a checkout names none that is known. ``fee_percent`` and ``fee_fixed`` are what bePaid keeps of a payment,
    in base currency the second; without them ``[pricing]`` has them.
    """

    base_url: str = "https://api.bepaid.by"
    shop_id: Annotated[str, BeforeValidator(_as_text)] = Field(min_length=1, pattern=r"^[^:\s]+$")
    secret_key: SecretStr = Field(min_length=1)
    public_key: Annotated[str, AfterValidator(_as_key)] = Field(min_length=1)
    language: str = Field(default=mapping.DEFAULT_LANGUAGE, pattern=r"^[a-z]{2}$")
    visible_fields: tuple[wire.VisibleField, ...] = ()
    fee_percent: Percent | None = None
    fee_fixed: Amount | None = None

    def secrets(self) -> tuple[str, ...]:
        """The secret, and the header that is made of it."""
        return (*super().secrets(), notice.credentials(self.shop_id, self.secret_key.get_secret_value()))


class BePaid(PaymentProvider):
    """One shop at bePaid."""

    settings: BePaidSettings

    def __init__(self, manifest: Manifest, name: str, settings: BePaidSettings, transport: Transport) -> None:
        super().__init__(manifest, name, settings, transport)
        shared = notice.credentials(settings.shop_id, settings.secret_key.get_secret_value())
        self._headers = {"Authorization": f"Basic {shared}"}

    async def create_link(self, request: PaymentLinkRequest) -> PaymentLink:
        """A product of quantity 1 until the request expires: one POST. Any doubt raises with ``Outcome.UNKNOWN``."""
        try:
            product = mapping.new_product(
                request,
                test=self.settings.mode == "test",
                language=self.settings.language,
                visible_fields=self.settings.visible_fields,
            )
        except SupplierError as error:
            error.supplier = self.name
            raise
        made = await self.create_product(product)
        # It may be paid by now: then nothing is left of it.
        same = made.price == request.price and made.remaining in (0, 1) and made.test is product.test
        if not same or made.checkout_id not in (None, request.checkout_id):
            raise self._unreadable("the product is not the one that was asked for")
        return msgspec.structs.replace(made, checkout_id=request.checkout_id)

    async def link(self, link_id: str) -> PaymentLink:
        """A product as it stands now. Raises ``NotFound`` when it is not there."""
        if not link_id:
            raise NotFound("no product id", supplier=self.name)
        found = self._link(await self._read(f"/products/{segment(link_id)}", Raw, mapping.product_refusal))
        if found.id != link_id:
            raise self._unreadable("asked for one product, got another")
        return found

    async def links(self) -> AsyncIterator[PaymentLink]:
        """Every product that can be read as a link, the newest first; the page knows no part of the list."""
        found: list[PaymentLink] = []
        for row in await self._read("/products", list[Raw], mapping.refusal):
            try:
                link = mapping.listed(row)
            except (ValueError, RecursionError):
                raise self._unreadable("a product in the list cannot be read") from None
            if link is not None:
                found.append(link)
        # One that does not say when it was made may be the newest: whoever stops at the old ones has seen it.
        found.sort(key=lambda link: link.created_at or datetime.max.replace(tzinfo=UTC), reverse=True)
        for link in found:
            yield link

    async def close_link(self, link_id: str) -> None:
        """Let a product expire now: one PUT. Raises ``NotFound`` when it is not there."""
        await self.update_product(link_id, mapping.closing(datetime.now(UTC)))

    def verify_notice(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether it came with the shop's credentials and bePaid's signature over these very bytes."""
        return notice.verify(
            headers,
            body,
            shop_id=self.settings.shop_id,
            secret_key=self.settings.secret_key.get_secret_value(),
            key=self.settings.public_key,
        )

    def parse_notice(self, body: bytes) -> PaymentNotice:
        """The payment in a verified body. Raises ``ValueError`` for one that is no notification."""
        return notice.parse(body)

    # --- products, with all that the page lets one say of them -------------------------------------------

    async def create_product(self, product: wire.NewProduct) -> PaymentLink:
        """Make a product: one POST. It has no reference that bePaid would hold against a second one."""
        return self._link(
            await self.transport.write(
                "POST", "/products", Raw, json=product, headers=self._headers, refusal=mapping.refusal
            )
        )

    async def update_product(self, product_id: str, changes: wire.ProductChanges) -> None:
        """Change what is named of a product: one PUT, answered 204. Raises ``NotFound`` when it is not there."""
        if not product_id:
            raise NotFound("no product id", supplier=self.name)
        await self.transport.write(
            "PUT",
            f"/products/{segment(product_id)}",
            type(None),
            json=changes,
            headers=self._headers,
            refusal=mapping.product_refusal,
            priority=Priority.SETTLE,
        )

    async def _read(self, path: str, shape: type[T], refusal: RefusalTable) -> T:
        return await self.transport.read(path, shape, headers=self._headers, refusal=refusal, priority=Priority.SETTLE)

    def _link(self, raw: Raw) -> PaymentLink:
        try:
            return mapping.link(raw)
        except (ValueError, RecursionError) as error:
            raise self._unreadable(str(error)) from None

    def _unreadable(self, detail: str) -> UnreadableAnswer:
        return UnreadableAnswer(self.transport.redact(detail), supplier=self.name)
