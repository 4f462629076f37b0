"""A mapping counts for one account or for every account at its provider; the account's own goes first."""

import pytest

from gateway.kit.pages import PageRequest
from gateway.kit.settings import load
from gateway.suppliers.accounts import accounts_of
from gateway.sync import mappings
from gateway.sync.run import run_sync
from providers.loader import load_manifests
from schemas.api_mappings import MappingRequest

WORD = """SELECT words[1] FROM set_aside WHERE supplier = 'first' AND about = 'place' AND cardinality(words) = 1
          GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"""
COUNTRIES = """SELECT supplier, bool_and('IS' = ANY(coverage)) AS "IS", bool_and('NO' = ANY(coverage)) AS "NO"
               FROM offers WHERE gone_at IS NULL AND supplier_plan_id = ANY($1::text[]) GROUP BY supplier"""


@pytest.fixture
def settings(sandbox, tmp_path):
    account = {**load_manifests()["s2s"].sandbox_settings, "provider": "s2s", "mode": "test"}
    account["base_url"] = sandbox.urls["s2s"]
    return load(state_dir=str(tmp_path), suppliers={"first": account, "second": account})


async def test_a_mapping_counts_for_one_account_or_for_its_provider(pool, settings):
    async with accounts_of(settings, pool) as accounts:

        async def meaning(means, **scope):
            found = mappings.meaning_of(accounts, MappingRequest("place", word, means, **scope))
            effect = await mappings.preview(pool, accounts, found)
            return found, set(effect.by_supplier), effect.examples

        async def countries():
            assert (await run_sync(pool, accounts, settings)).state == "ok"
            rows = await pool.fetch(COUNTRIES, items)
            return {row["supplier"]: [code for code in ("IS", "NO") if row[code]] for row in rows}

        await run_sync(pool, accounts, settings)
        word = await pool.fetchval(WORD)
        own, would_map, examples = await meaning("IS", supplier="second")
        items = [item.supplier_plan_id for item in examples]
        assert (own.provider, own.supplier, would_map) == ("s2s", "second", {"second"})
        kept = await mappings.add_mapping(pool, own, "", "anna")
        assert await countries() == {"second": ["IS"]}

        of_provider, would_map, _ = await meaning("NO", provider="s2s")
        assert (of_provider.supplier, would_map) == ("", {"first"})
        await mappings.add_mapping(pool, of_provider, "", "anna")
        assert await countries() == {"first": ["NO"], "second": ["IS"]}
        listed = (await mappings.listed(pool, PageRequest(10), supplier="second")).data
        assert [(row.id, row.provider, row.applied) for row in listed] == [(kept.id, "s2s", True)]

        await mappings.forget(pool, kept.id, "anna")
        assert await countries() == {"first": ["NO"], "second": ["NO"]}
