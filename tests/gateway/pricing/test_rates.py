"""Rates fetched from a server that answers as the bank does, set, imported and accepted, on a real PostgreSQL."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from gateway.access import audit_rows
from gateway.kit.pages import PageRequest
from gateway.kit.problem import Problem
from gateway.kit.settings import load
from gateway.pricing import edit_rates, fetch_rates
from gateway.pricing.pricing import prices_now
from gateway.pricing.rate_rules import Rate
from gateway.pricing.rates import note_rates, rate_report, rates_now, stale_rates, today
from schemas.api_rates import RateEntry
from schemas.errors import ConfigurationError
from tests.kit.rate_source import rate_source

LIVE = {"pikasim": {"provider": "pikasim", "mode": "live"}}


@pytest.fixture
async def source():
    async with rate_source() as started:
        yield started


def gateway(source, suppliers=LIVE, **more):
    return load(rates=source.settings(), suppliers=suppliers, **more)


def days_ago(days):
    return today() - timedelta(days=days)


async def worth(pool, settings, currency):
    return (await rates_now(pool, settings)).worth.get(currency)


async def content(pool):
    return await pool.fetchval("SELECT content FROM catalog_state")


async def test_rates_are_fetched_with_their_date_and_make_another_version_of_the_catalogue(pool, source):
    source.publishes(days_ago(1), USD="1.08", IDR="17550", TWD="35.1")
    settings = gateway(source)
    before = await content(pool)
    done = await fetch_rates.update(pool, settings, "a test")
    (one,) = done.sources
    assert (one.rates, one.waiting, one.error, one.as_of) == (3, [], None, days_ago(1))
    assert await worth(pool, settings, "EUR") == Decimal("1.08")
    assert await worth(pool, settings, "IDR") == Decimal("0.0000615384615385")
    assert (done.changed, await content(pool)) == (True, before + 1)
    # what is fetched again, or is in force already, changes nothing
    assert not (await fetch_rates.update(pool, settings)).changed
    assert await content(pool) == before + 1
    assert [entry.action for entry in (await audit_rows.newest(pool)).data] == ["rates.updated"]
    every = await edit_rates.every(pool, settings)
    euro = next(rate for rate in every.data if rate.currency == "EUR")
    assert (euro.kind, euro.age_days, euro.state) == ("fetched", 1, "in_force")
    assert euro.source.startswith("ecb 127.0.0.1:")
    assert every.warnings == []


async def test_a_rate_that_jumped_waits_until_it_is_accepted_and_the_old_one_stands(pool, source):
    settings = gateway(source)
    source.publishes(days_ago(1), USD="1.00", TRY="40", PLN="4")
    await fetch_rates.update(pool, settings)
    source.publishes(today(), USD="1.00", TRY="50", PLN="4.1")
    done = await fetch_rates.update(pool, settings)
    assert done.sources[0].waiting == ["TRY"]
    assert await worth(pool, settings, "TRY") == Decimal("0.025")
    assert await worth(pool, settings, "PLN") == Decimal("0.243902439025")
    lira = next(rate for rate in (await edit_rates.every(pool, settings)).data if rate.currency == "TRY")
    assert (lira.per_base, lira.waiting.per_base, lira.waiting.moved_percent) == ("40", "50", -20.0)
    before = await content(pool)
    refused = await edit_rates.accept(pool, settings, "a test", "TRY", days_ago(3))
    assert (refused.code, await content(pool)) == ("conflict", before)
    await edit_rates.accept(pool, settings, "a test", "TRY", today())
    assert (await worth(pool, settings, "TRY"), await content(pool)) == (Decimal("0.02"), before + 1)
    assert (await edit_rates.accept(pool, settings, "a test", "TRY")).code == "not_found"
    (entry,) = (await audit_rows.newest(pool)).data
    assert (entry.action, entry.object, entry.detail["before"]) == ("rate.accepted", "rate:TRY", "0.025")
    # it was accepted for good: the same list again does not take it back
    await fetch_rates.update(pool, settings)
    assert await worth(pool, settings, "TRY") == Decimal("0.02")


async def test_a_second_list_of_the_same_day_that_jumped_leaves_the_first_in_force(pool, source):
    settings = gateway(source)
    source.publishes(today(), USD="1.00", TRY="40")
    await fetch_rates.update(pool, settings)
    source.publishes(today(), USD="1.00", TRY="50")
    assert (await fetch_rates.update(pool, settings)).sources[0].waiting == ["TRY"]
    assert await worth(pool, settings, "TRY") == Decimal("0.025")
    await edit_rates.set_rate(pool, settings, "a test", RateEntry("USD", "TRY", "45"))
    assert (await rate_report(pool, settings)).waiting == {}
    await fetch_rates.update(pool, settings)
    assert (await rate_report(pool, settings)).waiting == {}
    assert await worth(pool, settings, "TRY") == Decimal("0.0222222222223")


async def test_a_jump_that_was_a_mistake_is_forgotten_when_the_source_is_right_again(pool, source):
    settings = gateway(source)
    source.publishes(days_ago(2), USD="1.00", TRY="40")
    await fetch_rates.update(pool, settings)
    source.publishes(days_ago(1), USD="1.00", TRY="4000")
    await fetch_rates.update(pool, settings)
    assert list((await rate_report(pool, settings)).waiting) == ["TRY"]
    source.publishes(today(), USD="1.00", TRY="41")
    await fetch_rates.update(pool, settings)
    assert (await rate_report(pool, settings)).waiting == {}
    assert await worth(pool, settings, "TRY") == Decimal("0.0243902439025")
    history = (await edit_rates.history(pool, settings, "TRY", PageRequest(50))).data
    assert [row.per_base for row in history] == ["41", "40"]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (503, b"", "HTTP 503"),
        (302, b"", "redirect"),
        (200, b"<html/>", "it has no day with rates"),
        (200, b" " * (fetch_rates.MOST_BYTES + 1), "too_large"),
        (200, b"<!DOCTYPE a [<!ENTITY b 'c'>]><Cube/>", "it has a document type declaration"),
        (200, b"<Cube time='2999-01-01'><Cube currency='USD' rate='1'/></Cube>", "its rates are of a later day"),
        (200, b"<Cube time='2026-11-01'><Cube currency='JPY' rate='1'/></Cube>", "no rate of the base currency USD"),
    ],
)
async def test_a_source_that_is_down_or_answers_something_else_changes_nothing(pool, source, status, body, error):
    settings = gateway(source)
    source.status, source.body = status, body
    (one,) = (await fetch_rates.update(pool, settings)).sources
    assert one.error.startswith(error) or error in one.error
    assert await pool.fetchval("SELECT count(*) FROM fx_rates") == 0
    (state,) = (await rate_report(pool, settings)).sources
    assert (state.error, state.fetched_at) == (one.error, None)


async def test_an_unreachable_source_leaves_the_rates_and_warns_after_three_days(pool, source):
    settings = gateway(source)
    source.publishes(today(), USD="1.08")
    await fetch_rates.update(pool, settings)
    source.status = 503
    await fetch_rates.update(pool, settings)
    assert await worth(pool, settings, "EUR") == Decimal("1.08")
    assert await stale_rates(pool, settings) is None
    await pool.execute("UPDATE rate_sources SET fetched_at = fetched_at - interval '3 days 1 minute'")
    assert "were last fetched on" in await stale_rates(pool, settings)


async def test_old_rates_warn_and_then_are_no_rates(pool, source):
    settings = gateway(source)
    source.publishes(days_ago(6), USD="1.08")
    await fetch_rates.update(pool, settings)
    assert await stale_rates(pool, settings) is None
    await pool.execute("UPDATE fx_rates SET as_of = as_of - 1")
    assert await stale_rates(pool, settings) == f"old rates: EUR of {days_ago(7)}"
    await pool.execute("UPDATE fx_rates SET as_of = as_of - 8")
    assert await worth(pool, settings, "EUR") is None
    assert "EUR of" in await stale_rates(pool, settings)
    before = await content(pool)
    assert await note_rates(pool, settings)  # a worker's, each minute: the clock alone changed what is in force
    assert not await note_rates(pool, settings)
    assert await content(pool) == before + 1


async def test_the_shipped_file_comes_last_and_lasts_while_all_suppliers_are_in_test_mode(pool, source, monkeypatch):
    old = (Rate("EUR", Decimal("1.08"), days_ago(40), "config/fx.toml", "shipped"),)
    monkeypatch.setattr("gateway.pricing.rates.shipped", lambda _: old)
    test = load(suppliers={"pikasim": {"provider": "pikasim", "mode": "test"}})
    assert await worth(pool, test, "EUR") == Decimal("1.08")
    assert "those shipped with this release" in await stale_rates(pool, test)
    mixed = load(suppliers=LIVE | {"s2s": {"provider": "s2s", "mode": "test"}})
    assert await worth(pool, mixed, "EUR") is None
    source.publishes(days_ago(20), USD="1.20")
    await fetch_rates.update(pool, gateway(source))
    assert await worth(pool, test, "EUR") == Decimal("1.08")
    await pool.execute("UPDATE fx_rates SET as_of = as_of + 10")
    assert await worth(pool, test, "EUR") == await worth(pool, mixed, "EUR") == Decimal("1.2")


async def test_what_an_operator_set_stands_whatever_a_source_says_of_that_day(pool, source):
    settings = gateway(source)
    made = await edit_rates.set_rate(pool, settings, "a test", RateEntry("USD", "IDR", "16250"))
    assert (made.currency, made.rate, made.in_force) == ("IDR", "0.0000615384615385", True)
    assert await edit_rates.set_rate(pool, settings, "a test", RateEntry("EUR", "USD", "1.5", today()))
    source.publishes(today(), USD="1.08", IDR="20000")
    await fetch_rates.update(pool, settings)
    assert await worth(pool, settings, "EUR") == Decimal("1.5")
    assert await worth(pool, settings, "IDR") == Decimal("0.0000615384615385")
    later = await edit_rates.set_rate(pool, settings, "a test", RateEntry("USD", "IDR", "9", days_ago(2)))
    assert not later.in_force
    tomorrow = await edit_rates.set_rate(pool, settings, "a test", RateEntry("USD", "IDR", "9", days_ago(-1)))
    assert not tomorrow.in_force
    assert await worth(pool, settings, "IDR") == Decimal("0.0000615384615385")


async def test_a_rate_may_be_set_against_any_currency_that_has_one(pool, source):
    settings = gateway(source)
    await edit_rates.set_rate(pool, settings, "a test", RateEntry("USD", "EUR", "0.8"))
    assert await worth(pool, settings, "EUR") == Decimal("1.25")
    await edit_rates.set_rate(pool, settings, "a test", RateEntry("EUR", "IDR", "20000"))
    assert await worth(pool, settings, "IDR") == Decimal("0.0000625")
    await edit_rates.set_rate(pool, settings, "a test", RateEntry("MYR", "EUR", "0.2"))
    assert await worth(pool, settings, "MYR") == Decimal("0.25")
    for entry, code in [
        (RateEntry("EGP", "TWD", "2"), "no_rate"),
        (RateEntry("EUR", "EUR", "2"), "conflict"),
        (RateEntry("USD", "EUR", "0.000"), "conflict"),
    ]:
        assert (await edit_rates.set_rate(pool, settings, "a test", entry)).code == code


async def test_a_file_is_imported_as_an_operator_s_word(pool, source):
    settings = gateway(source)
    text = (
        f"date,base,currency,rate\n{days_ago(1)},EUR,USD,1.1\n{days_ago(1)},EUR,TWD,33\n{days_ago(3)},USD,IDR,16000\n"
    )
    made = await edit_rates.import_rates(pool, settings, "a test", "rates.csv", text)
    assert (made.rates, made.currencies, made.changed) == (3, ["EUR", "IDR", "TWD"], True)
    assert await worth(pool, settings, "TWD") == Decimal("0.0333333333334")
    refused = await edit_rates.import_rates(pool, settings, "a test", "rates.csv", "date,base,currency,rate\nx")
    assert isinstance(refused, Problem)
    assert refused.detail.startswith("rates.csv: line 2")


async def test_a_second_source_gives_what_the_first_lacks(pool, source):
    async with rate_source() as other:
        source.publishes(today(), USD="1.08")
        other.body = b'{"data": {"from": "USD", "rates": {"EUR": 2, "EGP": 50}}}'
        # One name a host: the second is reached by another one of this machine.
        url = other.url.replace("127.0.0.1", "localhost")
        rates = {
            "sources": [
                *source.settings()["sources"],
                {"kind": "json", "url": url, "base": "data.from", "rates": "data.rates"},
            ]
        }
        settings = load(rates=rates, suppliers=LIVE)
        done = await fetch_rates.update(pool, settings)
        assert [(one.rates, one.error) for one in done.sources] == [(1, None), (1, None)]
        assert await worth(pool, settings, "EUR") == Decimal("1.08")
        assert await worth(pool, settings, "EGP") == Decimal("0.02")


async def test_a_worker_fetches_each_day_and_an_hour_after_a_failure(pool, source):
    settings = gateway(source)
    source.status = 503
    await fetch_rates.update_if_due(pool, settings)
    await fetch_rates.update_if_due(pool, settings)
    assert len(source.asked) == 1
    await pool.execute("UPDATE rate_sources SET tried_at = tried_at - interval '1 hour'")
    source.publishes(today(), USD="1.08")
    await fetch_rates.update_if_due(pool, settings)
    await fetch_rates.update_if_due(pool, settings)
    assert (len(source.asked), await worth(pool, settings, "EUR")) == (2, Decimal("1.08"))
    await pool.execute("UPDATE rate_sources SET tried_at = tried_at - interval '1 day'")
    await fetch_rates.update_if_due(pool, settings)
    assert len(source.asked) == 3


async def test_prices_are_made_with_the_rates_of_the_day(pool, source):
    settings = gateway(source)
    await edit_rates.set_rate(pool, settings, "a test", RateEntry("USD", "IDR", "16250"))
    await edit_rates.set_rate(pool, settings, "a test", RateEntry("USD", "IDR", "8000", days_ago(-1)))
    now = datetime.now(UTC)
    assert (await prices_now(pool, settings, None, now)).rates.worth["IDR"] == Decimal("0.0000615384615385")
    assert (await prices_now(pool, settings, None, now + timedelta(days=1))).rates.worth["IDR"] == Decimal("0.000125")


@pytest.mark.parametrize(
    ("sources", "why"),
    [
        ([{"kind": "ecb", "url": "http://rates.example.com/daily.xml"}], "only for this machine"),
        ([{"kind": "ecb", "url": "ftp://127.0.0.1/daily.xml"}], "https"),
        ([{"kind": "ecb", "url": "https://10.0.0.1/daily.xml"}], "public"),
        ([{"kind": "csv", "url": "https://rates.example.com/"}], "should be 'ecb'"),
        ([{"kind": "ecb", "url": "https://rates.example.com/a"}] * 2, "one kind and one host"),
    ],
)
def test_an_address_that_may_not_be_fetched_is_a_wrong_configuration(sources, why):
    with pytest.raises(ConfigurationError, match=why) as error:
        load(rates={"sources": sources})
    assert "daily.xml" not in str(error.value)  # services put keys into addresses


def test_a_source_is_named_without_what_its_address_may_hide():
    url = "https://rates.example.com/v6/secret/latest?app_id=secret"
    (source,) = load(rates={"sources": [{"kind": "json", "url": url}]}).rates.sources
    assert str(source) == "json rates.example.com"
    assert "secret" not in repr(SimpleNamespace(source=source))
