"""The contract that every payment plugin passes, over HTTP against its own sandbox.

A plugin's test is this class with its manifest and its page's examples. What really happened is read from the
sandbox's payment desk (``/_sandbox/truth``), never from the plugin. The sandbox is told what to do by its control
routes: ``pay/{link id}``, ``triggers``, ``webhook``.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import aiohttp
import pytest
import stamina
import structlog

from providers.contract import PaymentProvider
from providers.simulator import Fault, FaultKind, SandboxWorld
from schemas.errors import InvalidRequest, NotFound, Outcome, SupplierError
from schemas.money import Money
from schemas.payment import PaymentKind, PaymentLink, PaymentLinkRequest, PaymentNotice, PaymentState
from tests.kit.receiver import Receiver, receiving
from tests.providers.checks import end_of, fault
from tests.providers.market import failure, impatient
from tests.providers.plugin_suite import PluginSuite
from tests.providers.shop import MISSING, NASTY, PRIVATE, Shop, echoing, open_shop, places, spoilt
from tests.providers.suite import PageExample

UNANSWERED = (FaultKind.DOWN, FaultKind.SERVER_ERROR, FaultKind.TRUNCATED, FaultKind.HTML, FaultKind.GZIP_BOMB)
REFUSED = (FaultKind.RATE_LIMITED, FaultKind.UNAUTHORISED)
PRICES = (Money.of("5.50", "USD"), Money.of(990, "JPY"), Money.of("1.234", "KWD"))
STRANGE = ("no-such-link", "../../x", "..", "a/b?c=d#e", "%00", " ", "é" * 300, "<b>")


@dataclass
class Cashier:
    """A payment plugin, its sandbox, and a hand that plays the customer."""

    shop: Shop
    http: aiohttp.ClientSession

    @property
    def provider(self) -> PaymentProvider:
        found: Any = self.shop.provider
        assert isinstance(found, PaymentProvider)
        return found

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [call for call in self.shop.sent if call[0] != "GET"]

    def request(self, price: Money = PRICES[0], number: int = 1, **more: Any) -> PaymentLinkRequest:
        expires = more.pop("expires_at", datetime.now(UTC) + timedelta(hours=1))
        return PaymentLinkRequest(f"chk_{number}", "Japan 1 GB", "Japan 1 GB, 7 days", price, expires, **more)

    async def links(self) -> list[PaymentLink]:
        return [link async for link in self.provider.links()]

    async def tell(self, route: str, body: Any = None) -> Any:
        async with self.http.post(f"{self.provider.transport.base_url}/_sandbox/{route}", json=body or {}) as answer:
            assert answer.ok, f"{answer.status} {await answer.text()}"
            return await answer.json()

    async def trigger(self, kind: str, **more: Any) -> None:
        await self.tell("triggers", {"kind": kind, **more})

    async def pay(self, link: PaymentLink, outcome: str = "pay") -> list[dict[str, Any]]:
        return list((await self.tell(f"pay/{link.id}", {"outcome": outcome}))["payments"])

    async def truth(self) -> Any:
        async with self.http.get(f"{self.provider.transport.base_url}/_sandbox/truth") as answer:
            return await answer.json()

    def notice(self, came: tuple[dict[str, str], bytes]) -> PaymentNotice:
        headers, body = came
        assert self.provider.verify_notice(headers, body), "verify_notice(): the sandbox's own notification is refused"
        return self.provider.parse_notice(body)


@asynccontextmanager
async def open_cashier(manifest: Any, **settings: Any) -> AsyncIterator[Cashier]:
    world = SandboxWorld((), enforce_rate_limits=False)
    async with open_shop(manifest, world, **settings) as shop, aiohttp.ClientSession() as http:
        yield Cashier(shop, http)


class PaymentSuite(PluginSuite):
    """Give ``manifest`` and ``examples``; and the rest where the supplier has other names.

    ``proofs`` are the headers without which no notification is believed, ``secret`` the setting that they are made
    with. ``reference_field`` is what carries our id in a link's JSON, ``text_fields`` what holds others' words.
    """

    examples: ClassVar[Sequence[PageExample]] = ()
    proofs: ClassVar[Sequence[str]] = ("authorization", "content-signature")
    secret: ClassVar[str] = "secret_key"
    reference_field: ClassVar[str] = "description"
    text_fields: ClassVar[Sequence[str]] = ("name", "description")

    @pytest.fixture(autouse=True)
    def _no_waiting(self) -> Any:
        with stamina.set_testing(True, attempts=1):
            yield

    @pytest.fixture
    async def cashier(self) -> AsyncIterator[Cashier]:
        async with open_cashier(self.manifest) as opened:
            yield opened

    @pytest.fixture
    async def shop(self, cashier: Cashier) -> Shop:
        return cashier.shop

    @pytest.fixture
    async def hook(self, cashier: Cashier) -> AsyncIterator[Receiver]:
        """Where the sandbox sends its notifications."""
        async with receiving() as receiver:
            await cashier.tell("webhook", {"url": receiver.url})
            yield receiver

    def test_every_example_of_the_page_is_understood(self) -> None:
        assert self.examples, f"{type(self).__name__}.examples: copy the JSON examples of the page, verbatim"
        for example in self.examples:
            assert example.read(example.body.encode()) == example.expected, f"{example.place} becomes something else"

    # --- links ----------------------------------------------------------------------------------------

    @pytest.mark.parametrize("price", PRICES, ids=str)
    async def test_a_link_is_for_one_payment_of_exactly_the_price(self, cashier: Cashier, price: Money) -> None:
        made = await cashier.provider.create_link(cashier.request(price))
        assert (made.price, made.remaining, made.test) == (price, 1, True)
        assert made.checkout_id == "chk_1", "a link without our id cannot be found when its making got no answer"
        assert made.url.startswith("http")
        assert await cashier.provider.link(made.id) == made
        assert await cashier.links() == [made]

    async def test_a_live_account_makes_links_that_take_money(self) -> None:
        async with open_cashier(self.manifest, mode="live") as cashier:
            made = await cashier.provider.create_link(cashier.request())
            assert made.test is False

    async def test_links_are_listed_the_newest_first(self, cashier: Cashier) -> None:
        for number in range(3):
            await cashier.provider.create_link(cashier.request(number=number))
            await asyncio.sleep(0.002)  # the page's times have milliseconds
        assert [link.checkout_id for link in await cashier.links()] == ["chk_2", "chk_1", "chk_0"]

    @pytest.mark.parametrize(
        "price", ["5.501 USD", "0 USD", "-1 USD", "0.5 JPY", "NaN USD", "1E+30 USD", "5 usd", "5 X"]
    )
    async def test_what_is_no_price_is_not_sent(self, cashier: Cashier, price: str) -> None:
        amount, currency = price.split()
        error = await failure(cashier.provider.create_link(cashier.request(Money(Decimal(amount), currency))))
        assert isinstance(error, InvalidRequest)
        assert cashier.writes == []

    @pytest.mark.parametrize("strange", STRANGE, ids=ascii)
    async def test_a_link_that_is_not_there_is_not_found(self, cashier: Cashier, strange: str) -> None:
        for call in (cashier.provider.link(strange), cashier.provider.close_link(strange)):
            end = await end_of(call)
            assert isinstance(end, NotFound), f"{strange!r} ended in {end!r}: raise NotFound, and use transport.segment"

    async def test_a_closed_link_cannot_be_paid(self, cashier: Cashier) -> None:
        made = await cashier.provider.create_link(cashier.request())
        await cashier.provider.close_link(made.id)
        async with cashier.http.get(made.url) as page:
            assert page.status == 410
        assert (await cashier.provider.link(made.id)).remaining == 1, "it must stay visible that nobody paid"
        assert (await cashier.truth())["payments"] == []

    async def test_a_paid_link_has_nothing_left(self, cashier: Cashier) -> None:
        made = await cashier.provider.create_link(cashier.request())
        await cashier.pay(made)
        assert (await cashier.provider.link(made.id)).remaining == 0

    # --- a creation that gets no answer ---------------------------------------------------------------

    @pytest.mark.parametrize("how", ["hang", "500", "reset", "html", "truncated"])
    async def test_a_link_whose_making_got_no_answer_is_found_by_our_id(self, cashier: Cashier, how: str) -> None:
        await cashier.trigger(f"made_then_{how}")
        async with impatient(cashier.provider):
            error = await failure(cashier.provider.create_link(cashier.request()))
        assert error.outcome is Outcome.UNKNOWN
        assert len(cashier.writes) == 1, "create_link(): a POST is sent once"
        (found,) = [link for link in await cashier.links() if link.checkout_id == "chk_1"]
        assert (found.price, found.remaining) == (PRICES[0], 1)

    @pytest.mark.parametrize("how", ["hang", "500", "reset"])
    async def test_a_link_that_was_not_made_leaves_the_caller_in_the_same_doubt(
        self, cashier: Cashier, how: str
    ) -> None:
        await cashier.trigger(how)
        async with impatient(cashier.provider):
            error = await failure(cashier.provider.create_link(cashier.request()))
        assert error.outcome is Outcome.UNKNOWN
        assert await cashier.links() == []

    async def test_a_refused_link_is_refused_for_certain(self, cashier: Cashier) -> None:
        await cashier.trigger("refuse")
        error = await failure(cashier.provider.create_link(cashier.request()))
        assert isinstance(error, InvalidRequest)
        assert error.outcome is Outcome.DID_NOT_HAPPEN
        assert (await cashier.truth())["products"] == []

    # --- when it is out of order ----------------------------------------------------------------------

    @pytest.mark.parametrize("kind", [*UNANSWERED, *REFUSED])
    async def test_faults_end_in_an_error_that_says_whether_it_may_have_happened(
        self, cashier: Cashier, kind: FaultKind
    ) -> None:
        made = await cashier.provider.create_link(cashier.request())
        cashier.shop.world.add_fault(self.manifest.name, fault(kind))
        for call in (cashier.provider.create_link(cashier.request(number=2)), cashier.provider.close_link(made.id)):
            error = await failure(call)
            assert error.outcome is (Outcome.UNKNOWN if kind in UNANSWERED else Outcome.DID_NOT_HAPPEN)
        for read in (cashier.provider.link(made.id), cashier.links()):
            assert not isinstance(await failure(read), NotFound), "what could not be looked at is not absent"
        cashier.shop.world.clear_faults(self.manifest.name)
        assert made in await cashier.links()

    @pytest.mark.parametrize("wrong", [MISSING, None, "no such word", -1, [], {}, 10**30], ids=repr)
    async def test_a_field_of_another_shape_never_hides_our_link(self, cashier: Cashier, wrong: Any) -> None:
        made = await cashier.provider.create_link(cashier.request())
        await cashier.provider.link(made.id)
        await cashier.links()
        for place in places(cashier.shop):
            if type(wrong) is type(place.value) or place.way[-1:] == (self.reference_field,):
                continue  # another word may be true, and without our id it is not ours
            with spoilt(cashier.shop, place, wrong):
                for call in (cashier.provider.create_link(cashier.request()), cashier.provider.link(made.id)):
                    end = await end_of(call)
                    assert isinstance(end, PaymentLink | SupplierError)
                    assert isinstance(end, SupplierError) or end.price == made.price, f"{place}: {wrong!r}"
                listed = await end_of(cashier.links())
                ours = isinstance(listed, SupplierError) or any(link.checkout_id == "chk_1" for link in listed)
                assert ours, f"links(): with {wrong!r} at {place} our link is not there, and nothing is said of it"

    # --- payments -------------------------------------------------------------------------------------

    @pytest.mark.parametrize("price", PRICES, ids=str)
    async def test_a_payment_is_told_with_what_it_paid(self, cashier: Cashier, hook: Receiver, price: Money) -> None:
        link = await cashier.provider.create_link(cashier.request(price))
        (paid,) = await cashier.pay(link)
        notice = cashier.notice((await hook.until(1))[0])
        assert (notice.state, notice.kind, notice.test) == (PaymentState.CAPTURED, PaymentKind.PAYMENT, True)
        assert (notice.payment_id, notice.link_id, notice.checkout_id) == (paid["uid"], link.id, "chk_1")
        assert notice.paid == price
        assert notice.paid_at is not None
        assert abs(notice.paid_at - datetime.now(UTC)) < timedelta(minutes=1)

    @pytest.mark.parametrize(
        ("outcome", "state"),
        [("decline", PaymentState.FAILED), ("leave", PaymentState.PENDING), ("wait", PaymentState.PENDING)],
    )
    async def test_what_was_not_paid_is_not_captured(
        self, cashier: Cashier, hook: Receiver, outcome: str, state: PaymentState
    ) -> None:
        link = await cashier.provider.create_link(cashier.request())
        await cashier.pay(link, outcome)
        assert cashier.notice((await hook.until(1))[0]).state is state
        assert (await cashier.provider.link(link.id)).remaining == 1

    async def test_a_notice_is_believed_with_all_proofs_alone(self, cashier: Cashier, hook: Receiver) -> None:
        link = await cashier.provider.create_link(cashier.request())
        await cashier.pay(link)
        ((headers, body),) = await hook.until(1)
        believes = cashier.provider.verify_notice
        assert believes(headers, body)
        assert believes({name.upper(): value for name, value in headers.items()}, body)
        assert not believes(headers, body + b" ")
        assert not believes(headers, body.replace(b"chk_1", b"chk_2"))
        assert not believes({}, body)
        for name in self.proofs:
            assert not believes({each: value for each, value in headers.items() if each.lower() != name}, body)
            for other in ("", "Basic", "Basic YTpi", "é", "A" * 344, "=" * 10):
                others = {each: other if each.lower() == name else value for each, value in headers.items()}
                assert not believes(others, body), f"{name}: {other}"

    async def test_a_notice_for_another_shop_is_not_believed(self, cashier: Cashier, hook: Receiver) -> None:
        link = await cashier.provider.create_link(cashier.request())
        await cashier.pay(link)
        ((headers, body),) = await hook.until(1)
        async with open_cashier(self.manifest, **{self.secret: "another"}) as other:
            assert not other.provider.verify_notice(headers, body)

    @pytest.mark.parametrize("kind", ["notice_forged", "notice_altered"])
    async def test_a_forged_notice_is_not_believed_and_the_true_one_is(
        self, cashier: Cashier, hook: Receiver, kind: str
    ) -> None:
        await cashier.trigger(kind)
        await cashier.pay(await cashier.provider.create_link(cashier.request()))
        forged, true = await hook.until(2)
        assert not cashier.provider.verify_notice(*forged)
        assert cashier.notice(true).state is PaymentState.CAPTURED

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b"{}", b'{"transaction": null}', b'{"transaction": {"uid": 1}}', b"\xff"]
    )
    def test_what_is_no_notice_is_a_value_error(self, body: bytes) -> None:
        provider = self._unopened()
        with pytest.raises(ValueError):  # noqa: PT011 - msgspec's are among them
            provider.parse_notice(body)

    # --- hostile words, and secrets -------------------------------------------------------------------

    async def test_hostile_text_is_made_harmless(self, cashier: Cashier) -> None:
        made = await cashier.provider.create_link(cashier.request())
        await cashier.links()
        words = [place for place in places(cashier.shop) if place.way[-1:] and place.way[-1] in self.text_fields]
        assert words
        for place in words:
            for text in NASTY:
                with spoilt(cashier.shop, place, text):
                    found = await end_of(cashier.provider.link(made.id)), *await cashier.links()
                for link in found:
                    shown = f"{link.name} {link.description}" if isinstance(link, PaymentLink) else str(link)
                    assert "<" not in shown
                    assert shown.isprintable()
                    assert len(shown) < 1000

    async def test_no_secret_stands_in_an_error_or_a_log_line(self, cashier: Cashier) -> None:
        said: list[str] = []
        with structlog.testing.capture_logs() as lines:
            for kind in (FaultKind.DOWN, FaultKind.HTML, FaultKind.UNAUTHORISED):
                cashier.shop.world.add_fault(self.manifest.name, Fault(kind))
                said += await self._complaints(cashier)
                cashier.shop.world.clear_faults(self.manifest.name)
            for status in (200, 302, 400, 401, 404, 409, 422):
                with echoing(cashier.shop, status):
                    said += await self._complaints(cashier)
        said += [repr(line) for line in lines]
        assert said, "no fault was noticed"
        for secret in (*cashier.provider.settings.secrets(), *PRIVATE):
            leaks = [text for text in said if secret in text]
            assert not leaks, f"{secret[:6]}… stands in {leaks[0][:300]}: let the transport make the detail"

    async def _complaints(self, cashier: Cashier) -> list[str]:
        said: list[str] = []
        calls: list[Awaitable[Any]] = [
            cashier.provider.create_link(cashier.request()),
            cashier.provider.link("prd_1"),
            cashier.links(),
            cashier.provider.close_link("prd_1"),
        ]
        for call in calls:
            try:
                await call
            except SupplierError as error:
                said += [str(error), repr(error.args), error.detail, "".join(traceback.format_exception(error))]
        return said

    def _unopened(self) -> PaymentProvider:
        """The plugin without connections, for what needs none."""
        settings = self.manifest.settings.model_validate(self._settings())
        made: Any = self.manifest.provider
        provider: PaymentProvider = made(self.manifest, self.manifest.name, settings, None)
        return provider
