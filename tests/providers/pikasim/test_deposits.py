"""Deposits at PikaSim: what is asked, which page comes back, and the page of its sandbox."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec
import pytest

from providers.kit.urls import is_page
from providers.pikasim import deposits, wire
from providers.simulator import Fault, FaultKind
from schemas.account import TransactionKind
from schemas.errors import InvalidRequest, Outcome, UnreadableAnswer
from schemas.money import Money
from tests.providers.account import Account, failure
from tests.providers.pikasim.examples import example


def usd(amount: str) -> Money:
    return Money.of(amount, "USD")


def session(answer: Any) -> Any:
    return deposits.session(msgspec.convert(answer, wire.DepositAnswer, strict=False), usd("5"))


def test_the_page_s_own_session_names_its_checkout() -> None:
    told = msgspec.json.decode(example("stripe_session"), type=wire.DepositAnswer)
    assert told.session_id == "cs_live_..."
    assert told.checkout_url == "https://checkout.stripe.com/..."


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        ({"success": True, "sessionId": "cs_1", "checkoutUrl": "https://pay.example/1"}, "cs_1"),
        ({"success": True, "data": {"invoiceId": "inv_1", "checkoutLink": "https://pay.example/1"}}, "inv_1"),
        ({"success": True, "data": {"id": 7, "invoiceUrl": "https://pay.example/1"}}, "7"),
        ({"success": True, "checkoutUrl": "https://pay.example/1"}, None),
    ],
)
def test_where_a_person_pays_is_read_in_the_shapes_that_there_are(answer: Any, known: str | None) -> None:
    found = session(answer)
    assert (found.id, found.url, found.amount) == (known, "https://pay.example/1", usd("5"))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "http://pay.example/1",
        "https://me:word@pay.test",
        "https:///x",
        "//x",
        "https://a b",
    ],
)
def test_an_answer_without_a_page_that_may_be_opened_is_unreadable(url: str) -> None:
    assert not is_page(url)
    with pytest.raises(ValueError, match="no page"):
        session({"success": True, "checkoutUrl": url})


@pytest.mark.parametrize(
    ("way", "amount"),
    [("cash", usd("5")), ("stripe", usd("0")), ("stripe", usd("1.005")), ("stripe", Money.of("5", "EUR"))],
)
async def test_what_cannot_be_deposited_is_refused_before_anything_is_sent(
    here: Account, way: str, amount: Money
) -> None:
    with pytest.raises(InvalidRequest, match="nothing was sent"):
        await here.provider.deposit(way, amount)
    assert not here.shop.sent


@pytest.mark.parametrize("way", ["stripe", "btcpay"])
async def test_a_deposit_moves_money_only_once_somebody_pays_at_the_page(here: Account, way: str) -> None:
    before = here.simulator.balance
    made = await here.provider.deposit(way, usd("12.34"))
    assert made.id is not None
    assert is_page(made.url)
    async with aiohttp.ClientSession() as http:
        async with http.get(made.url) as page:
            assert page.status == 200
            assert "Deposit 12.34 USD" in await page.text()
        assert here.simulator.balance == before
        async with http.post(made.url) as page:
            assert "has risen" in await page.text()
        async with http.post(made.url) as page:
            assert page.status == 200
        async with http.get(made.url + "x") as page:
            assert page.status == 404
    assert here.simulator.balance == before + Decimal("12.34")
    moved = [line async for line in here.provider.transactions(here.simulator.statement()[0].at - timedelta(seconds=1))]
    assert (moved[0].kind, moved[0].amount) == (TransactionKind.DEPOSIT, usd("12.34"))


async def test_an_answer_that_does_not_come_moves_nothing_and_says_that_it_is_not_known(here: Account) -> None:
    here.shop.world.faults("pikasim").add(Fault(FaultKind.HTML, path="/deposit/stripe"))
    error = await failure(here.provider.deposit("stripe", usd("5")))
    assert isinstance(error, UnreadableAnswer)
    assert error.outcome is Outcome.UNKNOWN
    assert here.simulator.balance == here.simulator.statement()[-1].balance_after
