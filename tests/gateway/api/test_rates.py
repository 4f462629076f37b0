"""Exchange rates over the API: a currency is sold in once it has a rate, everywhere and at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.api import state
from gateway.pricing import edit_rates
from gateway.pricing.rates import today
from schemas.api_rates import RateEntry
from tests.gateway.api.test_health_reports import Places
from tests.kit.answers import read
from tests.kit.rate_source import rate_source
from tests.kit.waiting import until

NEED = {"countries": ["JP"], "data_mb": 1000}


@pytest.fixture
async def api(make_api):
    """The default margin of 10 % on a catalogue whose cheapest plan of Japan costs 4.50 USD."""
    async with rate_source() as source:
        made = await make_api(published=True, rates=source.settings(), scopes=["storefront", "goods", "ops"])
        made.source = source
        yield made


async def problem(answer):
    body = await read(answer, dict, 422)
    return body["code"], [error["pointer"] for error in body.get("errors", ())]


async def test_a_currency_without_a_rate_is_no_rate_everywhere_and_sold_in_once_it_has_one(api):
    asked = ["/v1/plans", "/v1/countries", "/v1/regions", "/v1/numbers/countries", "/v1/numbers/tiers", "/v1/goods"]
    for path in asked:
        assert await problem(await api.get(f"{path}?currency=IDR")) == ("no_rate", ["/currency"])
    assert await problem(await api.post("/v1/quotes", json={**NEED, "currency": "IDR"})) == ("no_rate", ["/currency"])
    rule = {"name": "x", "percent": "5", "currency": "IDR"}
    assert await problem(await api.post("/v1/ops/pricing-rules", json=rule)) == ("no_rate", ["/currency"])
    preview = {"rule": {"name": "x", "percent": "5"}, "currency": "IDR"}
    assert await problem(await api.post("/v1/ops/pricing-rules/preview", json=preview)) == ("no_rate", ["/currency"])
    etag = (await api.get("/v1/plans")).headers["ETag"]
    sent = {"base": "USD", "currency": "IDR", "rate": "16250"}
    made = await read(await api.post("/v1/ops/rates", json=sent), dict)
    assert made == {
        "currency": "IDR", "rate": "0.0000615384615385", "per_base": "16250", "as_of": f"{today()}", "in_force": True,
    }  # fmt: skip
    # It is in force when the answer comes.
    quote = await read(await api.post("/v1/quotes", json={**NEED, "currency": "IDR"}), dict, 201)
    assert quote["price"] == {"amount": "80437.50", "currency": "IDR"}
    for path in asked:
        assert (await api.get(f"{path}?currency=IDR")).status == 200
    assert (await api.get("/v1/plans")).headers["ETag"] != etag
    assert (await api.post("/v1/ops/pricing-rules", json=rule)).status == 201


async def test_a_highest_price_in_a_currency_without_a_rate_is_no_rate(shop):
    plan = (await shop.plan())["id"]
    body = {"plan_id": plan, "max_price": {"amount": "1", "currency": "IDR"}}
    assert await problem(await shop.order(body)) == ("no_rate", ["/max_price/currency"])
    validated = await shop.api.post("/v1/orders/validate", json=body)
    assert await problem(validated) == ("no_rate", ["/max_price/currency"])


async def test_rates_are_fetched_listed_and_accepted(api):
    api.source.publishes(today() - timedelta(days=1), USD="1.00", TRY="40")
    done = await read(await api.post("/v1/ops/rates/update"), dict)
    assert (done["changed"], done["sources"][0]["rates"]) == (True, 2)
    api.source.publishes(today(), USD="1.00", TRY="50")
    assert (await read(await api.post("/v1/ops/rates/update"), dict))["sources"][0]["waiting"] == ["TRY"]
    listed = await api.read("/v1/ops/rates")
    lira = next(one for one in listed["data"] if one["currency"] == "TRY")
    assert (lira["per_base"], lira["waiting"]["per_base"], lira["state"]) == ("40", "50", "in_force")
    assert (listed["base"], listed["warnings"], listed["sources"][0]["error"]) == ("USD", [], None)
    other_day = {"currency": "TRY", "as_of": f"{today() - timedelta(days=3)}"}
    assert (await api.post("/v1/ops/rates/accept", json=other_day)).status == 409
    accepted = await read(await api.post("/v1/ops/rates/accept", json={"currency": "TRY"}), dict)
    assert (accepted["rate"], accepted["as_of"]) == ("0.02", f"{today()}")
    assert (await api.post("/v1/ops/rates/accept", json={"currency": "TRY"})).status == 404
    rows = await api.rows("/v1/ops/rates/TRY", limit=1)
    assert [row["per_base"] for row in rows] == ["50", "40"]
    quote = await read(await api.post("/v1/quotes", json={**NEED, "currency": "TRY"}), dict, 201)
    assert quote["price"] == {"amount": "247.50", "currency": "TRY"}
    assert (await api.get("/v1/ops/rates/try")).status == 404


async def test_a_file_of_rates_is_imported_or_refused_with_its_fault(api):
    text = f"date,base,currency,rate\n{today()},USD,EGP,50\n"
    made = await read(await api.post("/v1/ops/rates/import", json={"name": "a.csv", "text": text}), dict)
    assert made == {"rates": 1, "currencies": ["EGP"], "changed": True}
    answer = await api.post("/v1/ops/rates/import", json={"name": "a.csv", "text": "nothing"})
    assert await problem(answer) == ("invalid", ["/text"])


async def test_a_gateway_without_sources_says_so(make_api):
    ops = await make_api(scopes=["ops"])
    body = await read(await ops.post("/v1/ops/rates/update"), dict, 409)
    assert "[rates] sources" in body["detail"]


async def test_another_process_that_serves_follows_a_rate_that_a_command_or_worker_wrote(api, pool):
    """Nobody publishes: the rates in force are another version of the catalogue."""
    settings = api.client.app[state.SETTINGS]
    await edit_rates.set_rate(pool, settings, "a test", RateEntry("USD", "MYR", "4"))

    async def sold():
        return (await api.post("/v1/quotes", json={**NEED, "currency": "MYR"})).status == 201

    await until(sold)
    quote = await read(await api.post("/v1/quotes", json={**NEED, "currency": "MYR"}), dict, 201)
    assert quote["price"] == {"amount": "19.80", "currency": "MYR"}


async def test_old_rates_are_told_by_readiness_and_an_alert(make_api, pool, monkeypatch):
    monkeypatch.setattr("gateway.alerts.order_health.RATES_SECONDS", 0.0)
    supplier = {"provider": "pikasim", "mode": "live", "base_url": "http://127.0.0.1:1", "api_key": "x" * 20}
    places = Places(await make_api(suppliers={"a": supplier}), monkeypatch)
    await pool.execute(
        "INSERT INTO fx_rates (base, currency, rate, as_of, source, kind) VALUES ('USD', 'EUR', 1, $1, 'x', 'set')",
        today() - timedelta(days=7),
    )
    for report in (places.ready, places.doctor, places.alert):
        await until(lambda report=report: report("stale_rates"))
    assert f"EUR of {today() - timedelta(days=7)}" in (await places.ready("stale_rates"))[0]
    await pool.execute("UPDATE fx_rates SET as_of = $1", today())

    async def well():
        return not any([await report("stale_rates") for report in (places.ready, places.alert)])

    await until(well)
