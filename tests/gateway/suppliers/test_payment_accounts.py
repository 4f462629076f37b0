"""Accounts at payment suppliers: configured and opened beside the others, and none of their business."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.kit.settings import load
from gateway.operations.settings_in_force import settings_in_force
from gateway.suppliers.accounts import accounts_of, check_accounts
from gateway.suppliers.payment_accounts import check_payment_accounts, close_payment_accounts, connect_payment_accounts
from providers.loader import load_manifests
from schemas.errors import CircuitOpen, ConfigurationError, SupplierError
from schemas.money import Money
from schemas.payment import PaymentLinkRequest


def settings_for(**urls: str):
    manifests = load_manifests()
    return load(
        suppliers={
            name: {**manifests[name].sandbox_settings, "provider": name, "mode": "test", "base_url": url}
            for name, url in urls.items()
        }
    )


def test_each_account_is_checked_as_what_it_is():
    settings = settings_for(bepaid="https://pay.example", pikasim="https://esims.example")
    assert list(check_accounts(settings)) == ["pikasim"]
    assert list(check_payment_accounts(settings)) == ["bepaid"]


def test_a_fault_in_either_stops_both():
    settings = settings_for(bepaid="https://pay.example", pikasim="https://esims.example")
    settings.suppliers["bepaid"]["public_key"] = "no key"
    for check in (check_accounts, check_payment_accounts):
        with pytest.raises(ConfigurationError, match=r"suppliers\.bepaid\.public_key"):
            check(settings)


async def test_it_makes_links_and_stands_among_no_suppliers(pool, sandbox):
    settings = settings_for(bepaid=sandbox.urls["bepaid"], pikasim=sandbox.urls["pikasim"])
    async with accounts_of(settings, pool):
        opened = await connect_payment_accounts(check_payment_accounts(settings), pool)
        expires = datetime.now(UTC) + timedelta(hours=1)
        request = PaymentLinkRequest("chk_1", "Japan 1 GB", "Japan 1 GB", Money.of("5.50", "USD"), expires)
        made = await opened["bepaid"].provider.create_link(request)
        assert made.test is True
        await close_payment_accounts(opened.values())
    assert [row["name"] for row in await pool.fetch("SELECT name FROM suppliers")] == ["pikasim"]


async def test_its_rate_and_its_breaker_are_shared_like_a_supplier_s(pool):
    settings = settings_for(bepaid="http://127.0.0.1:1")
    first, second = [await connect_payment_accounts(check_payment_accounts(settings), pool) for _ in range(2)]
    for _ in range(5):
        with pytest.raises(SupplierError):
            await first["bepaid"].provider.close_link("prd_1")
    with pytest.raises(CircuitOpen):
        await second["bepaid"].provider.close_link("prd_1")
    await close_payment_accounts([*first.values(), *second.values()])


async def test_a_base_url_that_cannot_be_used_names_the_account(pool):
    settings = settings_for(bepaid="https://pay.example")
    settings.suppliers["other"] = {**settings.suppliers["bepaid"], "base_url": "http://pay.example"}
    with pytest.raises(ConfigurationError, match=r"suppliers\.other\.base_url"):
        await connect_payment_accounts(check_payment_accounts(settings), pool)


def test_its_settings_are_shown_with_their_meaning_and_without_its_secret():
    shown = {one.name: one for one in settings_in_force(settings_for(bepaid="https://pay.example"), {})}
    assert shown["suppliers.bepaid.shop_id"].value == "361"
    assert shown["suppliers.bepaid.secret_key"].value is None
    assert shown["suppliers.bepaid.secret_key"].is_set
    assert all(one.meaning != "A setting of this supplier's plugin." for one in shown.values())
