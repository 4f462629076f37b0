"""eSIMs that were bought at S2S: what they say of themselves, and more data for them, over HTTP."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from providers.s2s import MANIFEST
from providers.s2s.sandbox import products
from schemas.errors import (
    DuplicateReference,
    InvalidRequest,
    NotFound,
    Outcome,
    UnreadableAnswer,
)
from schemas.esim import ProfileState, ServiceState
from schemas.money import Money
from schemas.order import SupplierOrderState
from tests.providers.account import failure, sells
from tests.providers.s2s.test_ordering import changed

NOWHERE = "8999901000000000009"


@pytest.fixture
async def iccid(here):
    _, order = await here.delivered()
    return order.delivery.iccid


async def test_an_esim_that_nobody_installed_is_not_active(here, iccid):
    status = await here.provider.esim_status(iccid)
    assert (status.iccid, status.profile_state, status.service_state) == (
        iccid,
        ProfileState.RELEASED,
        ServiceState.NOT_ACTIVE,
    )
    assert (status.data.total_mb, status.data.used_mb, status.packages) == (5120, 0, ())
    assert status.can_topup
    assert {row.country for row in status.coverage} == set(here.item.countries)


async def test_usage_is_told_to_the_megabyte(here, iccid):
    here.simulator.use(here.simulator.esim(iccid), 1537)
    status = await here.provider.esim_status(iccid)
    assert (status.profile_state, status.service_state) == (ProfileState.ENABLED, ServiceState.ACTIVE)
    assert (status.data.total_mb, status.data.used_mb, status.data.remaining_mb) == (5120, 1537, 3583)
    (package,) = status.packages
    assert (package.total_mb, package.remaining_mb, package.state) == (5120, 3583, "active")
    assert status.expires_at == package.expires_at
    assert status.expires_at > datetime.now(UTC) + timedelta(days=here.item.days - 1)


async def test_an_esim_without_data_left_is_depleted(here, iccid):
    here.simulator.use(here.simulator.esim(iccid), 5120)
    status = await here.provider.esim_status(iccid)
    assert (status.service_state, status.data.remaining_mb) == (ServiceState.DEPLETED, 0)


async def test_packages_below_a_gigabyte_are_in_megabytes(here):
    small = next(i for i in here.world.items("s2s") if i.mb == 500 and not i.daily and i.visible and i.in_stock)
    request = here.request(sku=products.sku_id(small.key))
    order = await here.provider.purchase(request)
    here.simulator.use(here.simulator.esim(order.delivery.iccid), 100)
    (package,) = (await here.provider.esim_status(order.delivery.iccid)).packages
    assert (package.total_mb, package.remaining_mb) == (500, 400)


async def test_an_unlimited_esim_has_no_total(here):
    item = next(i for i in here.world.items("s2s") if i.unlimited and i.visible and i.in_stock and not i.dirt)
    order = await here.provider.purchase(here.request(sku=products.sku_id(item.key)))
    here.simulator.use(here.simulator.esim(order.delivery.iccid), 100)
    status = await here.provider.esim_status(order.delivery.iccid)
    assert status.data is None
    assert status.packages[0].total_mb is None


async def test_an_esim_that_is_another_s_is_not_taken_for_this_one(here, iccid):
    here.shop.tamper = changed(lambda esim: esim.update(iccid=NOWHERE))
    assert isinstance(await failure(here.provider.esim_status(iccid)), UnreadableAnswer)


async def test_coverage_rows_without_a_country_are_left_out(here, iccid):
    rows = [{"country_code": None, "network_name": "A"}, {"country_code": " jp ", "network_name": None}, {}]
    here.shop.tamper = changed(lambda esim: esim.update(coverage=rows))
    (row,) = (await here.provider.esim_status(iccid)).coverage
    assert (row.country, row.operator) == ("JP", "")


# --- top-ups ------------------------------------------------------------------------------------------------


async def test_a_top_up_adds_its_data_and_takes_its_price(here, iccid):
    order = await here.provider.topup(here.request(iccid=iccid))
    assert (order.state, order.charged) == (SupplierOrderState.COMPLETED, Money(here.item.price, "USD"))
    assert (order.delivery.iccid, order.delivery.activation_code, order.delivery.conflict) == (iccid, None, False)
    assert (await here.provider.esim_status(iccid)).data.total_mb == 2 * 5120


async def test_a_top_up_is_found_like_any_order(here, iccid):
    here.trigger("charge_then_reset", act="topup")
    request = here.request(iccid=iccid)
    assert (await failure(here.provider.topup(request))).outcome is Outcome.UNKNOWN
    assert here.calls[f"/services/esim/{iccid}/topup"] == 1
    found = await here.provider.find_order(request, None)
    assert (found.state, found.delivery.iccid) == (SupplierOrderState.COMPLETED, iccid)


async def test_a_top_up_that_went_to_another_esim_is_a_conflict(here, iccid):
    request = here.request(iccid=iccid)
    await here.provider.topup(request)
    here.shop.tamper = changed(lambda orders: orders[0]["items"][0].update(delivery_data=[{"iccid": NOWHERE}]))
    assert (await here.provider.find_order(request, None)).delivery.conflict


async def test_a_top_up_takes_the_sku_that_it_is_given(here, iccid):
    bigger = next(
        i for i in here.world.items("s2s") if i.countries == here.item.countries and i.mb == 10240 and i.in_stock
    )
    order = await here.provider.topup(here.request(iccid=iccid, sku=products.sku_id(bigger.key)))
    assert order.charged == Money(bigger.price, "USD")


async def test_a_top_up_of_another_coverage_is_refused(here, iccid):
    other = next(i for i in here.world.items("s2s") if sells(i) and i.countries != here.item.countries)
    error = await failure(here.provider.topup(here.request(iccid=iccid, sku=products.sku_id(other.key))))
    assert (type(error), error.outcome) == (InvalidRequest, Outcome.DID_NOT_HAPPEN)


async def test_an_esim_that_cannot_be_renewed_is_refused_and_has_no_options(here, iccid):
    here.simulator.esim(iccid).renewable = False
    assert (await here.provider.esim_status(iccid)).can_topup is False
    assert await here.provider.topup_plans(iccid, here.sku) == []
    error = await failure(here.provider.topup(here.request(iccid=iccid)))
    assert (type(error), error.outcome) == (InvalidRequest, Outcome.DID_NOT_HAPPEN)


async def test_a_top_up_of_an_esim_that_is_not_ours_is_refused(here):
    error = await failure(here.provider.topup(here.request(iccid=NOWHERE)))
    assert (type(error), error.outcome) == (NotFound, Outcome.DID_NOT_HAPPEN)


async def test_a_top_up_s_reference_is_unique_among_orders_too(here):
    request, order = await here.delivered()
    again = msgspec.structs.replace(request, iccid=order.delivery.iccid)
    assert isinstance(await failure(here.provider.topup(again)), DuplicateReference)


async def test_the_bought_plan_can_be_added_at_today_s_price(here, iccid):
    here.world.set_price("s2s", here.item.key, here.item.price + 1)
    (offer,) = await here.provider.topup_plans(iccid, here.sku)
    assert (offer.supplier_plan_id, offer.cost) == (here.sku, Money(here.item.price + 1, "USD"))
    assert offer.coverage == here.item.countries
    assert MANIFEST.topup_same_coverage


async def test_a_plan_that_left_the_catalogue_is_no_option(here, iccid):
    here.world.remove("s2s", [here.item.key])
    assert await here.provider.topup_plans(iccid, here.sku) == []
