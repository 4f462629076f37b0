"""The walk by cursor, against a supplier that answers what a test tells it to."""

from itertools import count

import msgspec
import pytest
import stamina
from aiohttp import web

from providers.checks import check_settings
from providers.kit.transport import MemoryRateLimiter
from providers.loader import open_provider
from providers.s2s import MANIFEST, client
from schemas.errors import (
    ConfigurationError,
    NotAuthorised,
    NotFound,
    NotSupported,
    SupplierError,
    UnreadableAnswer,
)
from schemas.money import Money

GIVEN = {"provider": "s2s", "base_url": "https://supplier.example", "token": "t-1", "partner_secret": "p"}
PRICE = {"sku_id": "a", "denomination_type": "fixed", "price": 4.9, "currency": "USD", "stock": 5}
PRODUCT = {"id": "p-1", "type": "esim", "name": "Japan", "skus": [{"id": "a", "name": "3 GB 30 Days"}]}


def page(*rows, then=None, **changes):
    return {"success": True, "data": list(rows), "meta": {"next_cursor": then}} | changes


class Supplier:
    """Answers each path with the next of its pages, the last one for ever, and notes what was asked."""

    def __init__(self):
        self.pages = {"/catalog/pricelist": [page(PRICE)], "/catalog/products": [page(PRODUCT), page()]}
        self.asked = []
        self.status = 200

    async def answer(self, request):
        path = request.path.removeprefix("/v1/partner")
        self.asked.append((path, dict(request.query), request.headers.get("Authorization")))
        pages = self.pages[path]
        answer = pages.pop(0) if len(pages) > 1 else pages[0]
        return web.json_response(answer(request) if callable(answer) else answer, status=self.status)


@pytest.fixture
def supplier():
    return Supplier()


@pytest.fixture
async def account(supplier, aiohttp_server):
    """Opens the plugin towards the supplier, with more settings if given."""
    app = web.Application()
    app.router.add_get("/{rest:.*}", supplier.answer)
    server = await aiohttp_server(app)
    opened = []

    def account(**settings):
        given = GIVEN | {"base_url": str(server.make_url("/v1/partner"))} | settings
        provider = open_provider(MANIFEST, "mine", check_settings(MANIFEST, "mine", given), MemoryRateLimiter("mine"))
        opened.append(provider)
        return provider

    with stamina.set_testing(True, attempts=1):
        yield account
    for provider in opened:
        await provider.close()


async def walk(provider):
    return [item async for part in provider.catalog() for item in (*part.offers, *part.set_aside)]


async def test_it_asks_for_esims_with_skus_in_its_locale_and_for_the_other_types_without(account, supplier):
    assert len(await walk(account(locale="ru"))) == 1
    whole = {"per_page": "200", "locale": "ru", "type": "esim"}
    assert supplier.asked[:2] == [
        ("/catalog/pricelist", whole, "Bearer t-1"),
        ("/catalog/products", whole | {"include_skus": "true"}, "Bearer t-1"),
    ]
    assert [query["type"] for _, query, _ in supplier.asked[2:]] == [
        "voucher", "recharge_fixed", "recharge", "voucher_open_range", "other",
    ]  # fmt: skip
    assert all("include_skus" not in query for _, query, _ in supplier.asked[2:])


async def test_it_follows_the_cursor_until_there_is_none(account, supplier):
    supplier.pages["/catalog/pricelist"] = [
        page(PRICE, then="one+/="),
        page(PRICE | {"sku_id": "b"}, then="two"),
        page(),
    ]
    assert {row.supplier_plan_id for row in await walk(account())} == {"a", "b"}
    cursors = [query.get("cursor") for path, query, _ in supplier.asked if path == "/catalog/pricelist"]
    assert cursors == [None, "one+/=", "two"]


@pytest.mark.parametrize("path", ["/catalog/pricelist", "/catalog/products"])
@pytest.mark.parametrize(
    "pages",
    [
        [page(PRICE, then="one"), page(PRICE, then="one"), page(PRICE)],
        [page(PRICE, then="one"), page(PRICE, then="two"), page(PRICE, then="one"), page(PRICE)],
        [page(then="one"), page(PRICE)],
        [page(PRICE, meta=None)],
        [page(PRICE, meta={})],
        [{"success": True, "data": [PRICE]}],
        [page(data={"rows": []})],
        [page(PRICE, then="one"), {"success": True}],
    ],
    ids=["again", "round", "empty", "null meta", "no cursor", "no meta", "no list", "half"],
)
async def test_a_walk_that_does_not_end_as_a_walk_does_is_not_whole(account, supplier, path, pages):
    supplier.pages[path] = list(pages)
    with pytest.raises(UnreadableAnswer) as caught:
        await walk(account())
    assert caught.value.supplier == "mine"


PRICED = {"id": "a", "name": "3 GB 30 Days", "price": 12, "currency": "USD", "stock": 3, "max_per_order": 1}


async def test_one_sku_is_told_by_its_product_as_the_walk_tells_it(account, supplier):
    (offer,) = await walk(account())
    assert offer.supplier_product_id == "p-1"
    supplier.pages["/catalog/products/p-1"] = [{"success": True, "data": {**PRODUCT, "skus": [{"id": "b"}, PRICED]}}]
    found = await account().plan("a", "p-1")
    assert found == msgspec.structs.replace(offer, cost=Money.of(12, "USD"), stock=3)
    assert supplier.asked[-1][:2] == ("/catalog/products/p-1", {"locale": "en"})


@pytest.mark.parametrize(
    ("change", "raised"),
    [
        ({"skus": []}, NotFound),
        ({"skus": None}, NotFound),
        ({"type": "voucher"}, NotFound),
        ({"id": "p-2"}, UnreadableAnswer),
        ({"skus": [{**PRICED, "price": "dear"}]}, UnreadableAnswer),
    ],
    ids=["none", "null", "no eSIM", "another", "broken"],
)
async def test_a_product_that_does_not_tell_the_sku_gives_no_price(account, supplier, change, raised):
    supplier.pages["/catalog/products/p-1"] = [{"success": True, "data": {**PRODUCT, "skus": [PRICED], **change}}]
    with pytest.raises(raised):
        await account().plan("a", "p-1")


async def test_a_sku_that_may_not_be_ordered_is_told_as_sold_out(account, supplier):
    data = {**PRODUCT, "skus": [{**PRICED, "max_per_order": 0}]}
    supplier.pages["/catalog/products/p-1"] = [{"success": True, "data": data}]
    assert (await account().plan("a", "p-1")).stock == 0


async def test_without_its_product_nothing_is_asked_about_a_sku(account, supplier):
    with pytest.raises(NotSupported):
        await account().plan("a")
    assert not supplier.asked


async def test_cursors_without_end_are_given_up(account, supplier, monkeypatch):
    monkeypatch.setattr(client, "MOST_PAGES", 20)
    numbers = count()
    supplier.pages["/catalog/pricelist"] = [lambda _: page(PRICE, then=f"cursor-{next(numbers)}")]
    with pytest.raises(UnreadableAnswer, match="no end"):
        await walk(account())
    assert len(supplier.asked) == 20


@pytest.mark.parametrize("status", [200, 401])
async def test_a_refusal_is_one_whatever_its_status(account, supplier, status):
    supplier.status = status
    supplier.pages["/catalog/pricelist"] = [{"success": False, "message": "Token revoked"}]
    with pytest.raises(SupplierError, match="Token revoked") as caught:
        await walk(account())
    assert isinstance(caught.value, NotAuthorised) == (status == 401)


async def test_a_path_of_its_own_replaces_the_default(account, supplier):
    supplier.pages["/prices"] = supplier.pages.pop("/catalog/pricelist")
    assert len(await walk(account(paths={"pricelist": "/prices"}))) == 1


async def test_the_attribute_codes_are_settings(account, supplier):
    sku = {"id": "a", "name": "Travel", "attributes": {"land": "KR", "gb": "5 GB", "tage": 15}}
    supplier.pages["/catalog/products"] = [page(PRODUCT | {"name": "Travel", "skus": [sku]}), page()]
    (offer,) = await walk(account(attributes={"country": "land", "data": "gb", "days": "tage"}))
    assert (offer.coverage, offer.data.mb, offer.validity.days) == (("KR",), 5000, 15)


@pytest.mark.parametrize(
    "wrong", [{"locale": "de"}, {"paths": {"prices": "/x"}}, {"attributes": {"region": "x"}}, {"partner_secret": ""}]
)
def test_a_setting_that_is_none_is_refused(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        check_settings(MANIFEST, "mine", GIVEN | wrong)


def test_trusting_absence_is_allowed_because_the_signed_time_is_a_fence():
    assert check_settings(MANIFEST, "mine", GIVEN | {"trust_absence": True}).trust_absence
