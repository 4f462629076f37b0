"""The harmless calls by which a check finds out what works: credentials, each path, the signature.

Nothing here can buy: the SKU is the nil UUID and the ICCID nobody's, and every call says so by its refusal.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any

import msgspec

from providers.contract import Probe
from providers.kit.transport import Params, Priority, Transport, segment
from providers.s2s import mapping, signatures, wire
from providers.s2s.settings import S2SSettings
from schemas.account import SupplierAccount
from schemas.errors import DuplicateReference, NotAuthorised, NotFound, Refused, SupplierError, UnreadableAnswer

NIL = "00000000-0000-0000-0000-000000000000"
NOBODYS_ICCID = "8900000000000000000"
NO_PATH = "/esim-gateway-looks-for-a-path-that-is-not-there"
SEND_SECONDS = 15
_GONE = 404
_LISTS: Mapping[str, Params] = {
    "balance": {},
    "balance_history": {"per_page": 1},
    "products": {"per_page": 1},
    "pricelist": {"per_page": 1},
    "categories": {},
    "orders": {"per_page": 1},
}
_MISSING: Mapping[str, tuple[str, str]] = {
    "product": ("{uuid}", NIL),
    "order": ("{uuid}", NIL),
    "esim_status": ("{iccid}", NOBODYS_ICCID),
}


class _Anything(msgspec.Struct):
    data: msgspec.Raw


class Probing:
    """The probes of one account."""

    def __init__(self, transport: Transport, settings: S2SSettings, headers: Mapping[str, str]) -> None:
        self._transport = transport
        self._paths = settings.paths
        self._secret = settings.partner_secret.get_secret_value()
        self._headers = headers
        self._no_path: str | None = None

    def all(self, account: Callable[[], Awaitable[SupplierAccount]]) -> tuple[Probe, ...]:
        """Credentials first, then each path, then the signature."""
        return (
            Probe("credentials", ("token", "paths.me"), account),
            *(self._list(name, params) for name, params in _LISTS.items()),
            *(self._one(name, *missing) for name, missing in _MISSING.items()),
            Probe("path esim_topup", ("paths.esim_topup",), self._topup),
            Probe("signature", ("partner_secret",), self._order),
        )

    def _list(self, name: str, params: Params) -> Probe:
        async def read() -> None:
            await self._read(getattr(self._paths, name), params)

        return Probe(f"path {name}", (f"paths.{name}",), read)

    def _one(self, name: str, place: str, missing: str) -> Probe:
        """A path for one thing: asked for what there is not, it must say so, and in other words than no path at all."""

        async def read() -> None:
            path = getattr(self._paths, name).replace(place, segment(missing))
            try:
                await self._read(path)
            except SupplierError as error:
                await self._heed(path, error)

        return Probe(f"path {name}", (f"paths.{name}",), read)

    async def _order(self) -> None:
        reference = f"check-{token_hex(8)}"
        body = wire.NewOrder(reference, wire.NewOrderItem(NIL))
        signed = signatures.order_headers(self._secret, datetime.now(UTC), NIL, reference)
        await self._refused(self._paths.orders, body, signed)

    async def _topup(self) -> None:
        reference = f"check-{token_hex(8)}"
        path = self._paths.esim_topup.replace("{iccid}", NOBODYS_ICCID)
        signed = signatures.topup_headers(self._secret, datetime.now(UTC), NOBODYS_ICCID, reference)
        try:
            await self._refused(path, wire.NewTopUp(reference, NIL), signed)
        except NotAuthorised:
            return  # the path is there, and the signature has a probe of its own

    async def _refused(self, path: str, body: msgspec.Struct, signed: Mapping[str, str]) -> None:
        """Send what can only be refused. Raises ``NotAuthorised`` when its signature is not taken."""
        try:
            await self._transport.write(
                "POST",
                path,
                _Anything,
                json=body,
                headers={**self._headers, **signed},
                refusal=mapping.refusal,
                priority=Priority.SETTLE,
                deadline=datetime.now(UTC) + timedelta(seconds=SEND_SECONDS),
            )
        except NotAuthorised:
            raise
        except (Refused, DuplicateReference) as error:
            await self._heed(path, error)
            return
        raise UnreadableAnswer("it took an order for what does not exist; look at your orders there")

    async def _heed(self, path: str, error: SupplierError) -> None:
        """Nothing when a refusal speaks of the thing that was asked for; raises what it says of the path otherwise."""
        if error.status == _GONE and (not isinstance(error, NotFound) or _plain(error, path) == await self._nowhere()):
            raise NotFound("the path is not there", status=_GONE)
        if not isinstance(error, Refused | DuplicateReference) or isinstance(error, NotAuthorised):
            raise error

    async def _nowhere(self) -> str:
        """What the supplier says of a path that it does not have."""
        if self._no_path is None:
            self._no_path = ""
            try:
                await self._read(NO_PATH)
            except NotFound as error:
                self._no_path = _plain(error, NO_PATH)
            except SupplierError:
                pass  # then it says so in another way than of a thing that is missing
        return self._no_path

    async def _read(self, path: str, params: Params | None = None) -> Any:
        return await self._transport.read(
            path,
            _Anything,
            params=params,
            headers=self._headers,
            refusal=mapping.refusal,
            priority=Priority.SETTLE,
            lax=True,
        )


def _plain(error: SupplierError, path: str) -> str:
    """The words of a refusal without the path, which some repeat."""
    return error.detail.replace(path.strip("/"), "")
