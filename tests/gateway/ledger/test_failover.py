"""What a failover may lose: nothing where commits wait for the standby, else what reconciliation then finds."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from gateway.access.key_rows import create_key
from gateway.kit.pool import open_pool
from gateway.ledger.reconcile import reconcile
from gateway.migrations import upgrade
from gateway.orders.restore import restored
from tests.kit.replicated_postgres import Cluster
from tests.kit.sandboxed import shop_on, stock_from
from tests.kit.shelf import settings_for

_WRITES = "target_session_attrs=read-write"
PLAN = "bv-1gb-3d-06e8ea6afa94"


@pytest.mark.parametrize("synchronous", [True, False], ids=["synchronous", "asynchronous"])
async def test_what_a_standby_never_got_is_found_in_the_suppliers_books(synchronous, suppliers, tmp_path):
    with Cluster(tmp_path / "cluster", synchronous=synchronous) as cluster:
        url, other = cluster.primary.tcp_url(), cluster.standby.tcp_url()
        both = f"{url.rpartition('/')[0]},{urlsplit(other).netloc.rpartition('@')[2]}/gateway?{_WRITES}"
        await upgrade(both)
        settings = settings_for(tmp_path / "state", url, suppliers=suppliers.accounts())
        pool = await open_pool(url)
        await stock_from(pool, settings)
        await create_key(pool, storefront="shop", mode="test", scopes=["storefront"])
        storefront = await pool.fetchval("SELECT id FROM storefronts")
        await pool.close()
        async with shop_on(url, suppliers, settings, storefront) as before:
            kept = await before.buy(PLAN)
            cluster.wait_until_streaming()
            if not synchronous:
                cluster.standby.stop()  # as one that is behind: it gets nothing of what follows
            lost = await before.buy(PLAN)
        cluster.kill_primary()
        if not synchronous:
            cluster.standby.start()
        cluster.promote()

        # An address that lists both leads to the one that takes writes.
        settings = settings_for(tmp_path / "state", both, suppliers=suppliers.accounts())
        async with shop_on(both, suppliers, settings, storefront) as after:
            assert await after.status(kept) == "fulfilled"
            assert await after.status(lost) == ("fulfilled" if synchronous else None)
            assert len(await suppliers.charges()) == 2
            first = (await restored(after.deps, "failover")).day
            report = await reconcile(after.deps, first, datetime.now(UTC).date())
            found = [one.what for part in report.suppliers for one in part.differences]
            assert found == ([] if synchronous else ["charge_without_attempt"])
            assert report.clean == synchronous
