"""The contract of a plugin's orders, top-ups, eSIMs, money and webhooks, over HTTP against its own sandbox.

``ProviderSuite`` brings these tests along; each runs where the capability is declared. What really happened
is read from the sandbox's simulator, never from the plugin.
"""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
import pytest
import structlog

from providers.contract import Capability, Manifest
from providers.kit import activation
from providers.simulator import Act, Fault, FaultKind, TriggerKind, WebhookPlan
from schemas.account import TransactionKind
from schemas.errors import (
    InsufficientBalance,
    NotAuthorised,
    NotFound,
    Outcome,
    OutOfStock,
    Refused,
    SupplierError,
)
from schemas.esim import ProfileState, ServiceState
from schemas.order import PurchaseRequest, SupplierOrderState
from schemas.plan import MB_PER_GB
from tests.kit.receiver import receiving
from tests.providers.market import PATIENCE, Market, end_of, failure, iccid_of, open_market
from tests.providers.shop import open_shop, places, spoilt

CHARGED_UNTOLD = tuple(kind for kind in TriggerKind if kind.value.startswith("charge_then"))
UNCHARGED_UNTOLD = (TriggerKind.HANG, TriggerKind.ERROR_500, TriggerKind.RESET)
REFUSED: Mapping[TriggerKind, type[Refused]] = {
    TriggerKind.REFUSE_STOCK: OutOfStock,
    TriggerKind.REFUSE_BALANCE: InsufficientBalance,
    TriggerKind.REFUSE_BLOCKED: NotAuthorised,
}
# What may stand anywhere in JSON, and is no amount, no time and no text that anybody meant.
STRANGE = ("1e400", "1e9999999999999999999", "-5", '"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-14:00"', "{}")
BLIND = (FaultKind.DOWN, FaultKind.SERVER_ERROR, FaultKind.HTML, FaultKind.TRUNCATED, FaultKind.UNAUTHORISED)
MONEY = {TransactionKind.CHARGE, TransactionKind.REFUND}


@dataclass(frozen=True)
class WebhookVector:
    """A notification as the supplier sends it, signed with the sandbox's secret, and when it is good.

    ``signature`` is what ``openssl dgst -sha256 -hmac`` says of ``signed``, which is asked again where it is
    installed. ``too_late`` is a time at which it is refused.
    """

    headers: Mapping[str, str]
    body: bytes
    good_at: datetime
    too_late: datetime
    signed: bytes
    signature: str
    secret: str


class OrderSuite:
    """The tests of orders and of what follows them.

    ``processes`` is whether the supplier may take an order and deliver it, or fail it, later; one that answers
    a purchase with the eSIM itself has False. ``webhook_vectors`` are needed where webhooks are declared.
    """

    manifest: ClassVar[Manifest]
    processes: ClassVar[bool] = True
    webhook_vectors: ClassVar[tuple[WebhookVector, ...]] = ()

    def _needs(self, capability: Capability) -> None:
        if capability not in self.manifest.capabilities:
            pytest.skip(f"{self.manifest.name} has no {capability.value}")

    @pytest.fixture
    async def market(self, request: pytest.FixtureRequest) -> AsyncIterator[Market]:
        """The plugin at its sandbox, which sells the plans of ``magic.py``: without their own triggers."""
        self._needs(Capability.ORDERS)
        async with open_market(self.manifest) as opened:
            yield opened

    # --- buying ---------------------------------------------------------------------------------------

    async def test_a_purchase_is_one_request_and_gives_an_esim(self, market: Market) -> None:
        request, order = await market.bought()
        assert len(market.writes) == 1, f"purchase(): one POST, never more, and here {market.writes}"
        (charge,) = market.charges
        assert order.state is SupplierOrderState.COMPLETED
        assert order.reference in (request.reference, None)
        assert order.delivery is not None
        assert order.delivery.iccid == charge.iccid
        esim = market.simulator.esim(charge.iccid or "")
        assert esim is not None
        assert order.delivery.activation_code == esim.picture_code, "the activation code is another one's"
        assert activation.parse(order.delivery.activation_code) is not None
        assert order.charged is not None, "SupplierOrder.charged: the supplier says what it took"
        assert order.charged.amount == charge.charged

    async def test_it_is_found_afterwards_by_the_attempt_alone(self, market: Market) -> None:
        request, order = await market.bought()
        found = await market.found(request)
        (charge,) = market.charges
        assert found.state is SupplierOrderState.COMPLETED
        assert found.supplier_order_id in {charge.order_id, str(charge.number)}
        assert found.charged is not None
        assert found.charged.amount == charge.charged
        assert found.delivery is not None
        assert found.delivery.iccid == charge.iccid
        again = await market.provider.find_order(request, found.supplier_order_id)
        assert again == found, "find_order(): with the order's id it gives something else"
        assert order.supplier_order_id in (None, found.supplier_order_id)

    @pytest.mark.parametrize("kind", CHARGED_UNTOLD)
    async def test_a_lost_answer_is_unknown_sent_once_and_found_again(self, market: Market, kind: TriggerKind) -> None:
        market.trigger(kind)
        request = market.request()
        error = await market.unanswered(market.provider.purchase(request))
        assert error.outcome is Outcome.UNKNOWN, f"purchase(): {error!r} calls it definite, and it was charged"
        assert len(market.writes) == 1, f"purchase(): sent more than once: {market.writes}"
        (charge,) = market.charges
        found = await market.found(request)
        assert found.charged is not None
        assert found.charged.amount == charge.charged

    @pytest.mark.parametrize("kind", UNCHARGED_UNTOLD)
    async def test_no_answer_and_no_charge_is_unknown_too(self, market: Market, kind: TriggerKind) -> None:
        market.trigger(kind)
        request = market.request()
        error = await market.unanswered(market.provider.purchase(request))
        assert error.outcome is Outcome.UNKNOWN
        assert len(market.writes) == 1
        assert not market.charges
        assert await market.provider.find_order(request, None) is None

    @pytest.mark.parametrize("kind", REFUSED)
    async def test_a_refusal_is_definite_and_says_why(self, market: Market, kind: TriggerKind) -> None:
        market.trigger(kind)
        error = await failure(market.provider.purchase(market.request()))
        assert isinstance(error, REFUSED[kind]), f"mapping.py: {kind.value} became {error!r}"
        assert error.outcome is Outcome.DID_NOT_HAPPEN
        assert not market.charges

    async def test_what_is_really_sold_out_or_too_dear_is_refused_so(self, market: Market) -> None:
        world, name = market.shop.world, market.name
        key = next(item.key for item in world.items(name) if item.mb == 2 * MB_PER_GB)
        world.set_stock(name, key, 0)
        assert isinstance(await failure(market.provider.purchase(market.request(2))), OutOfStock)
        market.simulator.deposit(-market.simulator.available)
        assert isinstance(await failure(market.provider.purchase(market.request())), InsufficientBalance)
        assert not market.charges

    async def test_after_its_deadline_nothing_is_sent(self, market: Market) -> None:
        late = msgspec.structs.replace(market.request(), deadline=datetime.now(UTC) - timedelta(seconds=1))
        error = await failure(market.provider.purchase(late))
        assert error.outcome is Outcome.DID_NOT_HAPPEN
        assert not market.shop.sent, "purchase(): hand request.deadline to transport.write"

    async def test_a_supplier_that_is_not_there_was_sent_nothing(self, market: Market) -> None:
        async with open_shop(self.manifest, market.shop.world, base_url="http://127.0.0.1:1") as shop:
            error = await failure(shop.provider.purchase(market.request()))
        assert error.outcome is Outcome.DID_NOT_HAPPEN

    async def test_a_slow_charge_is_unknown_and_found_once_it_is_there(self, market: Market) -> None:
        market.trigger(TriggerKind.SLOW_CHARGE, seconds=PATIENCE + 0.75)
        request = market.request()
        error = await market.unanswered(market.provider.purchase(request))
        assert error.outcome is Outcome.UNKNOWN
        assert await market.provider.find_order(request, None) is None
        await market.until_charged()
        assert (await market.found(request)).charged is not None

    async def test_called_a_duplicate_it_is_unknown(self, market: Market) -> None:
        market.trigger(TriggerKind.DUPLICATE_REFERENCE)
        request = market.request()
        end = await end_of(market.provider.purchase(request))
        if isinstance(end, SupplierError):
            assert end.outcome is Outcome.UNKNOWN, "mapping.py: a duplicate reference means that one of ours arrived"
        else:
            assert market.charges[0].reference is None, "it was answered that the reference was used before"
        await market.found(request)

    async def test_more_charged_than_listed_is_told(self, market: Market) -> None:
        market.trigger(TriggerKind.CHARGED_MORE, factor=Decimal("1.37"))
        _, order = await market.bought()
        assert order.charged is not None
        listed = market.offers[1].cost
        assert listed is not None
        assert listed.amount < order.charged.amount == market.charges[0].charged

    async def test_no_attempt_is_mistaken_for_another(self, market: Market) -> None:
        requests = [market.request() for _ in range(3)]
        for request in requests[:2]:
            await market.provider.purchase(request)
        found = [await market.found(request) for request in requests[:2]]
        assert found[0].supplier_order_id != found[1].supplier_order_id
        for place, charge in enumerate(market.charges):
            assert found[place].supplier_order_id in {charge.order_id, str(charge.number)}
        assert await market.provider.find_order(requests[2], None) is None
        alike = msgspec.structs.replace(requests[2], reference=requests[0].reference[:-1])
        assert await market.provider.find_order(alike, None) is None, "find_order(): a part of a reference is not it"

    @pytest.mark.parametrize("kind", BLIND)
    async def test_not_being_able_to_look_is_no_absence(self, market: Market, kind: FaultKind) -> None:
        request, _ = await market.bought()
        market.shop.world.add_fault(market.name, Fault(kind))
        await failure(market.provider.find_order(request, None))

    async def test_an_order_that_lists_show_late_is_found_by_then(self, market: Market) -> None:
        market.trigger(TriggerKind.CHARGE_THEN_RESET)
        market.trigger(TriggerKind.LIST_LAG, seconds=3600)
        request = market.request()
        await failure(market.provider.purchase(request))
        early = await market.provider.find_order(request, None)  # another call may show it before the list does
        assert early is None or early.charged is not None
        market.simulator.sales()[0].shown_at = datetime.now(UTC)
        assert (await market.found(request)).charged is not None

    async def test_an_order_that_fails_later_holds_nothing(self, market: Market) -> None:
        self._needs_processing()
        market.trigger(TriggerKind.FAILED_AFTER_PROCESSING)
        request = market.request()
        order = await market.provider.purchase(request)
        assert order.state is SupplierOrderState.PENDING
        ended = await market.found(request, order.supplier_order_id)
        assert ended.state is SupplierOrderState.FAILED
        assert ended.charged is not None, "find_order(): of a failed order `charged` is what is still held"
        assert ended.charged.amount == 0
        assert ended.delivery is None

    async def test_a_failed_order_that_keeps_the_money_says_so(self, market: Market) -> None:
        self._needs_processing()
        market.trigger(TriggerKind.FAILED_WITHOUT_REFUND)
        request = market.request()
        order = await market.provider.purchase(request)
        ended = await market.found(request, order.supplier_order_id)
        assert ended.state is SupplierOrderState.FAILED
        assert ended.charged is None or ended.charged.amount == market.charges[0].charged

    async def test_an_order_that_never_comes_stays_pending(self, market: Market) -> None:
        self._needs_processing()
        market.trigger(TriggerKind.NEVER_PROVISIONED)
        request = market.request()
        order = await market.provider.purchase(request)
        found = await market.provider.find_order(request, order.supplier_order_id)
        assert found is not None
        assert (found.state, found.delivery) == (SupplierOrderState.PENDING, None)

    @pytest.mark.parametrize("strange", STRANGE)
    async def test_no_field_of_an_answer_makes_a_call_crash(self, market: Market, strange: str) -> None:
        request, order = await market.bought()
        since = datetime.now(UTC) - timedelta(hours=1)
        calls: dict[str, Callable[[], Awaitable[Any]]] = {
            "purchase": lambda: market.provider.purchase(market.request()),
            "find_order": lambda: market.provider.find_order(request, order.supplier_order_id),
            "find_order by reference": lambda: market.provider.find_order(request, None),
            "balance": market.provider.balance,
            "order_history": lambda: _all(market.provider.order_history(since)),
            "transactions": lambda: _all(market.provider.transactions(since)),
            "esim_status": lambda: market.provider.esim_status(iccid_of(order)),
        }
        for capability in (Capability.TRANSACTIONS, Capability.ESIM_STATUS):
            if capability not in self.manifest.capabilities:
                del calls[capability.value]
        for name, call in calls.items():
            market.shop.seen.clear()
            await call()
            for place in places(market.shop):
                with spoilt(market.shop, place, msgspec.Raw(strange.encode())):
                    end = await end_of(call())
                definite = isinstance(end, SupplierError) and end.outcome is not Outcome.UNKNOWN
                assert not (definite and name == "purchase"), f"{place}: it was charged"
                taken = getattr(end, "charged", None)
                assert taken is None or 0 <= taken.amount <= 100, f"{name}(): {place}: {taken.amount} was never taken"

    # --- top-ups --------------------------------------------------------------------------------------

    async def test_a_top_up_is_one_request_and_adds_data(self, market: Market) -> None:
        self._needs(Capability.TOPUP)
        request, iccid = await self._topup(market)
        order = await market.provider.topup(request)
        assert len(market.writes) == 1
        if order.state is SupplierOrderState.PENDING:
            order = await market.found(request, order.supplier_order_id)
        charge = market.charges[-1]
        assert order.state is SupplierOrderState.COMPLETED
        assert order.charged is not None
        assert order.charged.amount == charge.charged
        assert charge.iccid == iccid
        assert len(market.simulator.esim(iccid).packages) == 2  # type: ignore[union-attr]

    @pytest.mark.parametrize("kind", [*CHARGED_UNTOLD, *UNCHARGED_UNTOLD])
    async def test_a_top_up_without_an_answer_is_unknown(self, market: Market, kind: TriggerKind) -> None:
        self._needs(Capability.TOPUP)
        request, _ = await self._topup(market)
        market.trigger(kind)
        error = await market.unanswered(market.provider.topup(request))
        assert error.outcome is Outcome.UNKNOWN
        assert len(market.writes) == 1
        if kind in UNCHARGED_UNTOLD:
            assert await market.provider.find_order(request, None) is None
        else:
            found = await market.found(request)
            assert found.supplier_order_id == market.charges[-1].order_id

    async def test_a_top_up_of_no_esim_of_ours_is_refused(self, market: Market) -> None:
        self._needs(Capability.TOPUP)
        request, _ = await self._topup(market)
        error = await failure(market.provider.topup(msgspec.structs.replace(request, iccid="8900000000000000000")))
        assert isinstance(error, Refused)
        assert error.outcome is Outcome.DID_NOT_HAPPEN

    async def test_a_late_top_up_is_not_sent(self, market: Market) -> None:
        self._needs(Capability.TOPUP)
        request, _ = await self._topup(market)
        late = msgspec.structs.replace(request, deadline=datetime.now(UTC) - timedelta(seconds=1))
        assert (await failure(market.provider.topup(late))).outcome is Outcome.DID_NOT_HAPPEN
        assert not market.writes

    # --- an eSIM's life -------------------------------------------------------------------------------

    async def test_a_new_esim_is_not_used(self, market: Market) -> None:
        self._needs(Capability.ESIM_STATUS)
        _, order = await market.bought()
        status = await market.provider.esim_status(iccid_of(order))
        assert status.iccid == iccid_of(order)
        assert status.service_state is ServiceState.NOT_ACTIVE or status.data is not None
        assert status.profile_state in {ProfileState.RELEASED, ProfileState.UNKNOWN}
        assert status.data is not None
        assert status.data.remaining_mb == MB_PER_GB

    async def test_usage_is_told(self, market: Market) -> None:
        self._needs(Capability.ESIM_STATUS)
        _, order = await market.bought(gigabytes=4)
        esim = market.simulator.esim(iccid_of(order))
        assert esim is not None
        market.simulator.use(esim, 1024)
        status = await market.provider.esim_status(esim.iccid)
        assert status.data is not None
        assert (status.data.total_mb, status.data.used_mb, status.data.remaining_mb) == (4096, 1024, 3072)
        assert status.service_state is ServiceState.ACTIVE
        market.simulator.use(esim, 4096)
        assert (await market.provider.esim_status(esim.iccid)).service_state is ServiceState.DEPLETED

    @pytest.mark.parametrize("strange", ["8900000000000000000", "../../x", "..", "a/b?c", "é"], ids=ascii)
    async def test_an_esim_that_is_not_ours_is_not_found(self, market: Market, strange: str) -> None:
        self._needs(Capability.ESIM_STATUS)
        assert isinstance(await failure(market.provider.esim_status(strange)), NotFound)

    async def test_an_unused_esim_is_cancelled_for_its_refund(self, market: Market) -> None:
        self._needs(Capability.CANCEL)
        _, order = await market.bought()
        market.shop.sent.clear()
        given = await market.provider.cancel(iccid_of(order))
        assert len(market.writes) == 1
        assert given.iccid == iccid_of(order)
        assert given.refunded is None or given.refunded.amount == market.charges[0].refunded
        again = await failure(market.provider.cancel(iccid_of(order)))
        assert again.outcome is Outcome.DID_NOT_HAPPEN

    async def test_a_used_esim_is_not_cancelled(self, market: Market) -> None:
        self._needs(Capability.CANCEL)
        _, order = await market.bought()
        esim = market.simulator.esim(iccid_of(order))
        assert esim is not None
        market.simulator.use(esim, 10)
        error = await failure(market.provider.cancel(esim.iccid))
        assert isinstance(error, Refused)
        assert error.outcome is Outcome.DID_NOT_HAPPEN
        assert not market.charges[0].refunded

    @pytest.mark.parametrize("kind", [TriggerKind.CHARGE_THEN_HANG, TriggerKind.CHARGE_THEN_500, TriggerKind.RESET])
    async def test_a_cancel_without_an_answer_is_unknown(self, market: Market, kind: TriggerKind) -> None:
        self._needs(Capability.CANCEL)
        _, order = await market.bought()
        market.trigger(kind, act=Act.CANCEL)
        market.shop.sent.clear()
        error = await market.unanswered(market.provider.cancel(iccid_of(order)))
        assert error.outcome is Outcome.UNKNOWN
        assert len(market.writes) == 1

    # --- money ----------------------------------------------------------------------------------------

    async def test_the_balance_is_the_supplier_s(self, market: Market) -> None:
        self._needs(Capability.BALANCE)
        before = await market.provider.balance()
        assert before.balance.amount == market.simulator.balance
        assert before.spendable.amount == market.simulator.available
        await market.bought()
        after = await market.provider.balance()
        assert before.balance.amount - after.balance.amount == market.charges[0].charged

    async def test_every_movement_of_the_balance_is_told_once(self, market: Market) -> None:
        self._needs(Capability.TRANSACTIONS)
        for _ in range(3):
            await market.bought()
        if Capability.CANCEL in self.manifest.capabilities:
            await market.provider.cancel(iccid_of((await market.bought())[1]))
        since = datetime.now(UTC) - timedelta(hours=1)
        told = [move async for move in market.provider.transactions(since)]
        assert [move.at for move in told] == sorted((move.at for move in told), reverse=True), "newest first"
        truth = market.truth
        assert sum((move.amount.amount for move in told), Decimal(0)) == truth.balance
        by_order = {(move.supplier_order_id, move.amount.amount) for move in told if move.kind in MONEY}
        assert by_order == {(move.sale_id, move.amount) for move in truth.moves if move.sale_id is not None}

    async def test_movements_of_before_are_left_out(self, market: Market) -> None:
        self._needs(Capability.TRANSACTIONS)
        await market.bought()
        later = datetime.now(UTC) + timedelta(minutes=1)
        assert not [move async for move in market.provider.transactions(later)]

    async def test_every_order_of_the_history_is_told_with_our_reference_and_its_charge(self, market: Market) -> None:
        self._needs(Capability.ORDER_HISTORY)
        for _ in range(3):
            await market.bought()
        since = datetime.now(UTC) - timedelta(hours=1)
        told = [order async for order in market.provider.order_history(since)]
        assert {(order.supplier_order_id, order.charged.amount) for order in told if order.charged} == {
            (charge.order_id, charge.charged) for charge in market.charges
        }
        assert all(order.reference for order in told)
        later = datetime.now(UTC) + timedelta(minutes=1)
        assert not [order async for order in market.provider.order_history(later)]

    # --- webhooks -------------------------------------------------------------------------------------

    async def test_the_sandbox_s_webhooks_are_believed_and_point_at_the_order(self, market: Market) -> None:
        self._needs(Capability.WEBHOOKS)
        async with receiving() as hook:
            market.simulator.webhooks.plan = WebhookPlan(url=hook.url, copies=2)
            request, _ = await market.bought()
            await hook.until(2)
            first, copy = hook.got
        events = []
        for headers, body in (first, copy):
            assert market.provider.verify_webhook(headers, body, datetime.now(UTC))
            events += market.provider.parse_webhook(headers, body)
        (charge,) = market.charges
        assert {event.supplier_order_id for event in events} == {charge.order_id}
        assert {event.reference for event in events} <= {request.reference, None}
        assert len({event.dedupe_key for event in events}) == 1, "parse_webhook(): a copy has another dedupe_key"

    async def test_two_orders_are_two_events(self, market: Market) -> None:
        self._needs(Capability.WEBHOOKS)
        async with receiving() as hook:
            market.simulator.webhooks.plan = WebhookPlan(url=hook.url)
            for _ in range(2):
                await market.bought()
            await hook.until(2)
        keys = [market.provider.parse_webhook(*came)[0].dedupe_key for came in hook.got]
        assert keys[0] != keys[1]

    async def test_a_forged_or_old_webhook_is_not_believed(self, market: Market) -> None:
        self._needs(Capability.WEBHOOKS)
        async with receiving() as hook:
            market.simulator.webhooks.plan = WebhookPlan(url=hook.url, forged=True)
            await market.bought()
            await hook.until(2)
            now = datetime.now(UTC)
            assert [market.provider.verify_webhook(*came, now) for came in hook.got] == [False, True]
            market.simulator.webhooks.plan = WebhookPlan(url=hook.url, age_seconds=2 * 86_400)
            await market.bought()
            await hook.until(3)
        assert not market.provider.verify_webhook(*hook.got[2], datetime.now(UTC))

    async def test_an_altered_webhook_still_points_at_its_order_only(self, market: Market) -> None:
        self._needs(Capability.WEBHOOKS)
        async with receiving() as hook:
            market.simulator.webhooks.plan = WebhookPlan(url=hook.url, altered=True)
            await market.bought()
            await hook.until(2)
        altered, genuine = (market.provider.parse_webhook(*came)[0] for came in hook.got)
        assert altered.supplier_order_id == genuine.supplier_order_id
        if market.provider.verify_webhook(*hook.got[0], datetime.now(UTC)):
            assert altered.dedupe_key == genuine.dedupe_key

    async def test_webhooks_signed_by_openssl_are_believed_in_their_time(self, market: Market) -> None:
        self._needs(Capability.WEBHOOKS)
        assert self.webhook_vectors, (
            f"{type(self).__name__}.webhook_vectors: give notifications of the page signed with the openssl command"
        )
        for vector in self.webhook_vectors:
            verify = market.provider.verify_webhook
            assert verify(vector.headers, vector.body, vector.good_at)
            assert not verify(vector.headers, vector.body, vector.too_late)
            assert not verify({}, vector.body, vector.good_at)
            other = {name: _other_digit(value, vector.signature) for name, value in vector.headers.items()}
            assert not verify(other, vector.body, vector.good_at)

    def test_the_vectors_are_what_openssl_says(self) -> None:
        self._needs(Capability.WEBHOOKS)
        for vector in self.webhook_vectors:
            command = ["openssl", "dgst", "-sha256", "-hmac", vector.secret, "-r"]
            try:
                said = subprocess.run(command, input=vector.signed, capture_output=True, check=True)
            except FileNotFoundError:
                pytest.skip("openssl is not installed")
            assert said.stdout.decode().split()[0] == vector.signature

    # --- secrets --------------------------------------------------------------------------------------

    async def test_no_code_iccid_or_address_stands_in_a_log_line_or_an_error(self, market: Market) -> None:
        said: list[str] = []
        with structlog.testing.capture_logs() as lines:
            request, order = await market.bought()
            await market.found(request)
            for kind in (*CHARGED_UNTOLD[1:], TriggerKind.REFUSE_STOCK):
                market.trigger(kind)
                said.append(repr(await failure(market.provider.purchase(market.request()))))
        said += [repr(line) for line in lines]
        private = list(market.provider.settings.secrets())
        for esim in market.simulator.esims():
            private += [esim.iccid, esim.text_code, esim.text_code.split("$")[-1]]
        private += [str(charge.details.get("email")) for charge in market.charges if charge.details.get("email")]
        assert order.delivery is not None
        for secret in private:
            assert not [text for text in said if secret in text], f"{secret[:4]}… is told"

    # --- helpers --------------------------------------------------------------------------------------

    def _needs_processing(self) -> None:
        if not self.processes:
            pytest.skip(f"{self.manifest.name} answers a purchase with the eSIM itself")

    async def _topup(self, market: Market) -> tuple[PurchaseRequest, str]:
        """A top-up that can be asked for, of an eSIM that was delivered."""
        bought, order = await market.bought()
        iccid = iccid_of(order)
        options = await market.provider.topup_plans(iccid, bought.supplier_plan_id)
        assert options, "topup_plans(): the sandbox's plans can be topped up"
        assert all(option.cost is not None for option in options)
        market.shop.sent.clear()
        return market.request(plan=options[0].supplier_plan_id, iccid=iccid), iccid


async def _all(rows: AsyncIterator[Any]) -> list[Any]:
    return [row async for row in rows]


def _other_digit(value: str, signature: str) -> str:
    if value != signature:
        return value
    return ("0" if value[0] != "0" else "1") + value[1:]
