"""Ids of suppliers are keys: kept as they came, or refused with the reason."""

import msgspec
import pytest
from msgspec import Raw

from providers.beppay import MANIFEST as BEPPAY
from providers.beppay import mapping as beppay
from providers.kit.unmapped import Unmapped, id_of, id_or_none, unreadable
from providers.pikasim import MANIFEST as PIKASIM
from providers.pikasim import mapping as pikasim
from schemas.order import SupplierOrderState
from schemas.plan import SetAsideReason
from tests.providers.beppay.test_mapping import offer as beppay_offer
from tests.providers.market import open_market
from tests.providers.pikasim.test_mapping import offer as pikasim_offer

KEPT = ["pikasim1>28", "<b>x</b>", "a &amp; b", "two  spaces", " around ", "e\u0301", "\u00e9", "x" * 200]
REFUSED = ["a\u0000b", "tab\tbed", "line\nfeed", "zero\u200bwidth", "\u202eright", " ", "x" * 201, "\u00a0"]


@pytest.mark.parametrize("key", KEPT, ids=ascii)
def test_an_id_is_kept_as_it_came(key):
    assert id_of(key, "none") == key
    assert pikasim_offer(packageCode=key).supplier_plan_id == key
    assert beppay_offer(plan_id=key, id=key).supplier_plan_id == key


@pytest.mark.parametrize("key", REFUSED, ids=ascii)
def test_an_id_that_cannot_be_kept_sets_its_item_aside_with_the_reason(key):
    for mapping, field in ((pikasim, "packageCode"), (beppay, "plan_id")):
        row = mapping.item(Raw(msgspec.json.encode({field: key, "name": "Japan 1GB 7 Days"})))
        assert row.reason is SetAsideReason.NO_NAME
        assert row.supplier_plan_id.startswith("unnamed-")
        assert row.detail.isprintable()
    with pytest.raises(Unmapped):
        id_of(key, "none")


@pytest.mark.parametrize(("key", "kept"), [*((key, key) for key in KEPT), *((key, None) for key in REFUSED)], ids=ascii)
def test_an_item_that_cannot_be_read_keeps_its_id_or_gets_a_stand_in(key, kept):
    raw = Raw(msgspec.json.encode({"id": key}))
    row = unreadable(raw, ValueError("strange"), id_fields=("id",), reasons={})
    assert id_or_none(key) == kept
    assert row.supplier_plan_id == kept or (kept is None and row.supplier_plan_id.startswith("unnamed-"))


@pytest.mark.parametrize("manifest", [PIKASIM, BEPPAY], ids=lambda one: one.name)
@pytest.mark.parametrize("key", ["pikasim1>28", "<b>a&amp;b</b>", "two  spaces ", "e\u0301", "\u00e9/?#%"], ids=ascii)
async def test_a_plan_is_bought_by_its_id_as_it_was_listed(manifest, key):
    async with open_market(manifest) as market:
        market.shop.world.rename(market.name, market.offers[1].supplier_plan_id, key)
        (listed,) = (offer for offer in (await market.shop.walk()).offers if offer.data.mb == 1000)
        request = market.request(plan=listed.supplier_plan_id)
        order = await market.provider.purchase(request)
        if order.state is SupplierOrderState.PENDING:
            order = await market.found(request, order.supplier_order_id)
        assert order.state is SupplierOrderState.COMPLETED
        assert [sale.key for sale in market.simulator.sales()] == [key]
