"""A supplier's first list goes straight into its offers, and out of them again when it must wait."""

from gateway.sync.run import run_sync
from tests.kit.stall import Stall, Thing, market, parts, shelf

OTHERS = ("b", "c")


async def test_a_first_list_far_from_the_others_is_stored_only_when_it_is_accepted(pool, tmp_path):
    stalls = {"a": Stall(shelf(12, cost="0.40")), **{name: Stall(shelf(12)) for name in OTHERS}}
    async with market(pool, tmp_path, stalls) as m:
        await run_sync(pool, m.accounts, m.settings, only=OTHERS)
        part = parts(await run_sync(pool, m.accounts, m.settings, only=["a"]))["a"]
        assert (part.state, part.total, part.new) == ("quarantined", 12, 0)
        assert await m.one("SELECT count(*) FROM offers WHERE supplier = 'a'") == 0
        assert await m.one("SELECT new FROM quarantines WHERE supplier = 'a'") == 12
        assert await m.one("SELECT count(*) FROM quarantine_rows WHERE supplier = 'a' AND kind = 'new'") == 12

        part = parts(await run_sync(pool, m.accounts, m.settings, accept=["a"]))["a"]
        assert (part.state, part.new, part.suspect) == ("ok", 12, 12)
        assert await m.one("SELECT count(*) FROM offers WHERE supplier = 'a' AND suspect IS NOT NULL") == 12


async def test_a_suspect_price_of_a_first_list_was_never_good_and_the_others_were(pool, tmp_path):
    stalls = {"a": Stall(shelf(12)), **{name: Stall(shelf(12)) for name in OTHERS}}
    stalls["a"].reprice("p001", "1.00")
    stalls["a"].things.append(Thing("free", cost=None, days=90))
    async with market(pool, tmp_path, stalls) as m:
        await run_sync(pool, m.accounts, m.settings, only=OTHERS)
        await run_sync(pool, m.accounts, m.settings, only=["a"])
        rows = await m.fetch(
            "SELECT supplier_plan_id AS id, good_cost::text AS good, good_currency AS currency,"
            " cardinality(suspect_against) AS against, suspect_since IS NOT NULL AS since"
            " FROM offers WHERE supplier = 'a' AND supplier_plan_id IN ('free', 'p000', 'p001') ORDER BY 1"
        )
        assert [tuple(row.values()) for row in rows] == [
            ("free", None, None, None, False),
            ("p000", "5.00", "USD", None, False),
            ("p001", None, None, 2, True),
        ]
        assert await m.one("SELECT count(*) FROM offer_events") == 0


async def test_the_plans_of_a_first_list_are_dated_with_its_offers_and_one_that_was_gone_is_back(pool, tmp_path):
    stalls = {"a": Stall(shelf(2)), "b": Stall([Thing("other"), *shelf(2)])}
    async with market(pool, tmp_path, stalls) as m:
        await run_sync(pool, m.accounts, m.settings, only=["b"])
        stalls["b"].drop("p000", "p001")
        await run_sync(pool, m.accounts, m.settings, only=["b"])
        assert await m.one("SELECT count(*) FROM plans WHERE gone_at IS NOT NULL") == 2
        await run_sync(pool, m.accounts, m.settings, only=["a"])
        assert await m.one("SELECT count(*) FROM plans WHERE gone_at IS NOT NULL") == 0
        apart = "SELECT count(*) FROM plans p JOIN offers o ON o.plan_id = p.id AND o.supplier = 'a'"
        assert await m.one(f"{apart} WHERE p.updated_at <> o.changed_at OR o.first_seen_at <> o.changed_at") == 0
