"""Suppliers, words that are not understood, jobs and settings on the pages."""

import csv
import html
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from playwright.async_api import expect

from gateway.access import audit_rows
from gateway.suppliers.balances import poll_if_due
from gateway.sync.run import run_sync
from providers.kit.term_mappings import read_toml
from tests.kit.secret_keys import SECRET_KEY

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202eevil\u2066" + "x" * 10_000


def word_links(answer):
    """Where the words are that can be told."""
    links = [html.unescape(link) for link in re.findall(r'href="(/console/unmapped/at/[^"]+)"', answer.text)]
    return [link for link in links if not link.endswith("word=")]


async def test_every_supplier_stands_on_a_line_with_its_figures_and_on_a_page_of_its_own(console):
    assert await poll_if_due(console.pool, console.deps.accounts, datetime.now(UTC)) == ["beppay", "pikasim", "s2s"]
    page = await console.viewer.get("/console/suppliers")
    assert page.status == 200
    for name in ("beppay", "pikasim", "s2s"):
        assert f'href="/console/suppliers/{name}"' in page.text
        one = await console.viewer.get(f"/console/suppliers/{name}")
        assert one.status == 200
        assert "succeeded" in one.words
        assert "days left" in one.words.casefold()
    sheet = list(csv.DictReader(io.StringIO((await console.viewer.get("/console/suppliers?format=csv")).text)))
    assert {row["supplier"] for row in sheet} == {"beppay", "pikasim", "s2s"}
    assert all(Decimal(row["spendable"]) > 0 for row in sheet)
    assert (await console.viewer.get("/console/suppliers/nobody")).status == 404


async def test_a_supplier_is_paused_and_resumed_and_selling_is_stopped_by_an_operator_with_a_word_in_the_log(console):
    await console.operator.post("/console/suppliers/pikasim/pause")
    assert await console.pool.fetchval("SELECT state FROM suppliers WHERE name = 'pikasim'") == "paused"
    done = await console.operator.post("/console/suppliers/pikasim/resume")
    assert "selected again" in done.words
    stopped = await console.operator.post("/console/suppliers/s2s/stop", {"note": "they <b>raised</b> prices"})
    assert "they <b>raised</b> prices" in stopped.words
    home = await console.viewer.get("/console")
    assert "s2s is stopped: an operator stopped it (they <b>raised</b> prices)" in home.words
    await console.operator.post("/console/suppliers/s2s/sell")
    await console.operator.post("/console/selling/stop", {"note": "all wrong"})
    assert "Selling is stopped everywhere" in (await console.viewer.get("/console")).words
    again = await console.operator.post("/console/selling/resume")
    assert "Selling is resumed" in again.words
    twice = await console.operator.post("/console/selling/resume")
    assert "no stop of all suppliers is in force" in twice.words
    log = [(entry.action, entry.object) for entry in (await audit_rows.newest(console.pool)).data]
    assert log[:6] == [
        ("selling.resumed", "supplier:all"),
        ("selling.stopped", "supplier:all"),
        ("selling.resumed", "supplier:s2s"),
        ("selling.stopped", "supplier:s2s"),
        ("supplier.resumed", "supplier:pikasim"),
        ("supplier.paused", "supplier:pikasim"),
    ]
    refused = await console.viewer.post("/console/suppliers/pikasim/pause")
    assert refused.status == 403
    assert await console.pool.fetchval("SELECT state FROM suppliers WHERE name = 'pikasim'") == "active"


async def test_a_word_is_told_after_its_effect_was_seen_and_the_next_sync_maps_by_it(console):
    listed = await console.viewer.get("/console/unmapped?supplier=pikasim&about=place")
    links = word_links(listed)
    assert links
    link, before = links[0], None
    page = await console.operator.get(link)
    assert page.text.count("<tr data-row>") >= 1
    wrong = await console.operator.get(link + "&means=Narnia")
    assert wrong.status == 422
    assert "Narnia" in wrong.text
    seen = await console.operator.get(link + "&means=Iceland")
    found = re.search(r"(\d+) would become offers of (\d+) plan", seen.words)
    assert found, seen.words
    would_map = int(found[1])
    assert would_map > 0
    assert "Iceland" in seen.words
    before = await console.pool.fetchval("SELECT count(*) FROM offers WHERE supplier = 'pikasim' AND gone_at IS NULL")
    assert before == await console.pool.fetchval("SELECT count(*) FROM offers WHERE supplier = 'pikasim'")
    form = dict(
        re.findall(r'<input type="hidden" name="(supplier|reason|about|word|means)" value="([^"]*)"', seen.text)
    )
    form = {name: html.unescape(value) for name, value in form.items()}
    assert form["means"] == "IS"
    told = await console.operator.post("/console/unmapped/told", {**form, "note": "their support said so"})
    assert "means IS from the next sync on" in told.words
    assert "next sync" in (await console.viewer.get("/console/unmapped/told")).words
    run = await run_sync(console.pool, console.deps.accounts, console.settings, only=["pikasim"])
    assert run.state == "ok", run
    now = await console.pool.fetchval("SELECT count(*) FROM offers WHERE supplier = 'pikasim' AND gone_at IS NULL")
    assert now - before == would_map
    gone = await console.viewer.get(link)
    assert "No more unmapped offers for this term" in gone.words
    file = await console.viewer.get("/console/unmapped/mappings.toml")
    assert [(one.word, one.means) for one in read_toml(file.text)] == [(form["word"], "IS")]
    entry = (await audit_rows.newest(console.pool, action="mapping.")).data[0]
    assert (entry.actor, entry.detail["means"]) == (console.operator.name, "IS")
    mapping_id = entry.object.removeprefix("mapping:")
    await console.operator.post(f"/console/unmapped/told/{mapping_id}/forget")
    await run_sync(console.pool, console.deps.accounts, console.settings, only=["pikasim"])
    after = await console.pool.fetchval("SELECT count(*) FROM offers WHERE supplier = 'pikasim' AND gone_at IS NULL")
    assert after == before


async def test_a_word_is_mapped_for_one_account_or_everywhere(console):
    link = word_links(await console.viewer.get("/console/unmapped?supplier=pikasim&about=place"))[0] + "&means=Iceland"
    for applies_to, scope, row in (
        ("supplier", "at pikasim only", ("pikasim", "pikasim")),
        ("everywhere", "everywhere", ("", "")),
    ):
        page = await console.operator.get(f"{link}&applies_to={applies_to}")
        assert f"means Iceland {scope}:" in page.words
        hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)
        form = {name: html.unescape(value) for name, value in hidden if name != "csrf"}
        assert form["applies_to"] == applies_to
        await console.operator.post("/console/unmapped/told", form)
        newest = "SELECT provider, supplier FROM mappings ORDER BY created_at DESC LIMIT 1"
        assert tuple(await console.pool.fetchrow(newest)) == row
    assert "pikasim only" in (await console.viewer.get("/console/unmapped/told")).words
    assert (await console.operator.get(f"{link}&applies_to=nobody")).status == 422


async def test_a_viewer_sees_the_effect_and_cannot_tell(console):
    link = word_links(await console.viewer.get("/console/unmapped?supplier=beppay&about=place"))[0]
    seen = await console.viewer.get(link + "&means=JP")
    assert "would become offers of" in seen.words
    assert "An operator can save this mapping" in seen.words
    refused = await console.viewer.post(
        "/console/unmapped/told", {"supplier": "beppay", "about": "place", "word": "x", "means": "JP"}
    )
    assert refused.status == 403
    assert not await console.pool.fetchval("SELECT count(*) FROM mappings")


async def test_hostile_words_of_suppliers_stay_text(console):
    now = datetime.now(UTC)
    await console.pool.execute(
        "INSERT INTO set_aside (supplier, supplier_plan_id, name, reason, detail, raw, first_seen_at, about, words)"
        " VALUES ('pikasim', $1, $2, 'no_such_country', $2, $2, $3, 'place', ARRAY[$4])",
        "hostile", HOSTILE, now, HOSTILE[:200],
    )  # fmt: skip
    await console.pool.execute(
        "INSERT INTO supplier_breakers (supplier, state, failures, last_error) VALUES ('pikasim', 'open', 9, $1)"
        " ON CONFLICT (supplier) DO UPDATE SET state = 'open', last_error = excluded.last_error", HOSTILE,
    )  # fmt: skip
    await console.pool.execute(
        "INSERT INTO supplier_balance_looks VALUES ('pikasim', $1, $2)", now - timedelta(minutes=3), HOSTILE
    )
    links = word_links(await console.viewer.get("/console/unmapped?supplier=pikasim&reason=no_such_country"))
    hostile = next(link for link in links if "script" in link)
    for path in ("/console/unmapped", hostile, "/console/suppliers/pikasim", "/console/suppliers", "/console"):
        page = await console.viewer.get(path)
        assert page.status == 200, path
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
        assert "\u202e" not in page.text
    refused = await console.operator.get(hostile + "&means=JP")
    assert refused.status in {200, 422}
    assert "<img src=x" not in refused.text


async def test_jobs_show_what_waits_what_failed_and_what_runs_again_without_saying_more(console):
    await console.pool.execute(
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload, created, execute_after)"
        " VALUES (0, 'queued', 'sync', $1, now() - interval '1 hour', now() - interval '1 hour'),"
        "        (0, 'picked', 'sync', $2, now(), now()), (0, 'queued', 'stranger', $3, now(), now())",
        b'{"only": ["beppay"]}', b'{"only": ["pikasim"]}', b'{"token": "very-secret"}',
    )  # fmt: skip
    await console.pool.execute(
        "INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint, traceback)"
        " VALUES (7, 'exception', 0, 'sync', $1)",
        {"exception_type": "ValueError", "exception_message": "LPA:1$very-secret", "traceback": "very-secret"},
    )
    page = await console.viewer.get("/console/jobs")
    assert page.status == 200
    for words in ("beppay", "pikasim", "ValueError", "stranger"):
        assert words in page.words
    assert "very-secret" not in page.text
    assert "no worker starts them" in (await console.viewer.get("/console")).words


async def test_settings_stand_with_where_they_come_from_and_no_secret_among_them(console, monkeypatch, tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text("[quotes]\nttl_seconds = 900\n")
    monkeypatch.setenv("GATEWAY_CONFIG", str(file))
    monkeypatch.setenv("GATEWAY_SYNC__INTERVAL_SECONDS", "900")
    page = await console.viewer.get("/console/settings?format=csv")
    found = {row["setting"]: row for row in csv.DictReader(io.StringIO(page.text))}
    assert found["quotes.ttl_seconds"]["source"] == "file"
    assert found["sync.interval_seconds"]["source"] == "environment"
    assert found["pricing.percent"]["source"] == "default"
    assert found["suppliers.pikasim.mode"] == {
        "setting": "suppliers.pikasim.mode", "value": "test", "source": "start",
        "meaning": "Whether live or test keys see its offers.",
    }  # fmt: skip
    assert (found["suppliers.pikasim.api_key"]["value"], found["database_url"]["value"]) == ("set", "set")
    assert found["suppliers.beppay.daily_spend_limit"]["value"] == "not set"
    whole = await console.viewer.get("/console/settings")
    secrets = [secret for _, one in console.deps.accounts.items() for secret in one.settings.secrets()]
    assert len(secrets) >= 4
    for secret in (*secrets, console.settings.database_url.get_secret_value(), SECRET_KEY):
        assert secret not in whole.text
        assert secret not in page.text
    filtered = await console.viewer.get("/console/settings?source=environment")
    assert "interval_seconds" in filtered.words
    assert "ttl_seconds" not in filtered.words


@pytest.mark.browser
async def test_a_place_is_mapped_in_chromium_by_keys_alone_and_its_effect_is_seen_before(console, open_page):
    page = await open_page(console.operator, "/console/unmapped?supplier=s2s&reason=no_such_country")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/unmapped/at/s2s**")
    word = await page.locator("h1 bdi").inner_text()
    await page.get_by_label("Place").fill("Iceland, Norway")
    await page.keyboard.press("Enter")
    effect = page.locator("#effect")
    await effect.wait_for()
    await expect(effect).to_contain_text("Iceland, Norway")
    assert not await console.pool.fetchval("SELECT count(*) FROM mappings")
    await page.get_by_label("Why").fill("their support")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/console/unmapped/told")
    await expect(page.locator("table")).to_contain_text(word)
    row = await console.pool.fetchrow("SELECT word, means, note, provider FROM mappings")
    assert tuple(row) == (word, "IS NO", "their support", "s2s")
