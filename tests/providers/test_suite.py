"""The contract suite itself: each kind of bad plugin is caught, with words that help."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr

from providers import pikasim
from providers.contract import Capability, CatalogPage, Manifest, SandboxRoute, SupplierSettings
from providers.pikasim.client import PikaSim
from providers.simulator import FaultKind, SandboxWorld
from schemas.errors import NotSupported, Refused, SupplierError
from schemas.money import Money
from tests.providers.checks import check_imports
from tests.providers.plugin_suite import PluginSuite
from tests.providers.shop import open_shop
from tests.providers.suite import ProviderSuite
from tests.providers.test_contract import Bare, manifest_of


def suite_of(provider: type[Any] = PikaSim, **changes: Any) -> ProviderSuite:
    """The suite for PikaSim's plugin with something wrong about it."""
    manifest = dataclasses.replace(pikasim.MANIFEST, provider=provider, **changes)
    lists = staticmethod(lambda item: item.visible and item.in_stock)
    return type("TestWrong", (ProviderSuite,), {"manifest": manifest, "lists": lists})()


def small_world() -> SandboxWorld:
    world = SandboxWorld(["pikasim"], enforce_rate_limits=False)
    keys = [item.key for item in world.items("pikasim") if item.visible and item.in_stock]
    kept = set(keys[:25])
    world.remove("pikasim", [item.key for item in world.items("pikasim") if item.key not in kept])
    return world


class Changing(PikaSim):
    """Walks as PikaSim does, and lets a subclass change each page."""

    async def catalog(self):
        async for page in super().catalog():
            yield self.changed(page)


class Drops(Changing):
    def changed(self, page):
        return msgspec_replaced(page, offers=page.offers[1:])


class Repeats(Changing):
    def changed(self, page):
        return msgspec_replaced(page, offers=(page.offers[0], *page.offers[:-1]))


class MapsNothing(Changing):
    def changed(self, page):
        return CatalogPage()


class Cheapens(Changing):
    def changed(self, page):
        first = page.offers[0]
        cheap = msgspec.structs.replace(first, cost=Money(first.cost.amount / 3, "USD"))
        return msgspec_replaced(page, offers=(cheap, *page.offers[1:]))


class MisorderedCoverage(Changing):
    def changed(self, page):
        wrong = msgspec.structs.replace(page.offers[0], coverage=("JP", "DE"))
        return msgspec_replaced(page, offers=(wrong, *page.offers[1:]))


def msgspec_replaced(page: CatalogPage, **changes: Any) -> CatalogPage:
    return dataclasses.replace(page, **changes)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (Drops, "never dropped"),
        (Repeats, "stands for several items"),
        (MapsNothing, "fill in how these become offers"),
        (Cheapens, "is no price of the sandbox"),
        (MisorderedCoverage, "coverage is not sorted"),
    ],
)
async def test_a_walk_that_is_wrong_is_caught(wrong, said):
    with pytest.raises(AssertionError, match=said):
        await suite_of(wrong).test_a_whole_walk_accounts_for_every_item(small_world())


class Swallows(PikaSim):
    async def catalog(self):
        try:
            async for page in super().catalog():
                yield page
        except SupplierError:
            return


@pytest.mark.parametrize("kind", [FaultKind.HTML, FaultKind.DOWN, FaultKind.VANISH_MIDWAY])
async def test_a_plugin_that_swallows_errors_is_caught(kind):
    suite = suite_of(Swallows)
    async with open_shop(suite.manifest, small_world()) as shop:
        with pytest.raises(AssertionError, match="ended as if whole"):
            await suite.test_a_spoilt_walk_ends_in_an_error_of_the_tree(shop, kind)


class Tells(PikaSim):
    async def catalog(self):
        try:
            async for page in super().catalog():
                yield page
        except SupplierError:
            raise Refused(f"failed with {self._headers}", supplier=self.name) from None


async def test_a_plugin_that_tells_its_key_is_caught():
    with pytest.raises(AssertionError, match="let the transport make the detail"):
        await suite_of(Tells).test_no_secret_stands_in_an_error_or_a_log_line(small_world())


class Raw(Changing):
    def changed(self, page):
        loud = [msgspec.structs.replace(offer, description="<b>now!</b>") for offer in page.offers]
        return msgspec_replaced(page, offers=tuple(loud))


async def test_a_plugin_that_keeps_markup_is_caught():
    with pytest.raises(AssertionError, match="clean_text"):
        await suite_of(Raw).test_hostile_text_is_made_harmless(small_world())


class Crashes(PikaSim):
    async def catalog(self):
        async for page in super().catalog():
            assert all(offer.networks for offer in page.offers)
            raise KeyError("networks")
            yield page


async def test_a_plugin_that_crashes_on_an_odd_field_is_caught():
    suite = suite_of(Crashes)
    async with open_shop(suite.manifest, small_world()) as shop:
        with pytest.raises((KeyError, AssertionError)):
            await suite.test_a_spoilt_walk_ends_in_an_error_of_the_tree(shop, FaultKind.WRONG_TOTAL)


class LooksUpAnother(PikaSim):
    async def plan(self, supplier_plan_id, supplier_product_id=None):
        found = await super().plan(supplier_plan_id, supplier_product_id)
        return msgspec.structs.replace(found, name="something else")


async def test_a_look_up_that_differs_from_the_list_is_caught():
    suite = suite_of(LooksUpAnother)
    async with open_shop(suite.manifest, small_world()) as shop:
        with pytest.raises(AssertionError, match="something else than catalog"):
            await suite.test_a_plan_looked_up_is_the_listed_plan(shop)


class OpenSettings(SupplierSettings):
    api_key: str
    partner_secret: SecretStr


OPEN = {"settings": OpenSettings, "sandbox_settings": {"api_key": "k", "partner_secret": "s"}}
NO_CREDENTIALS = {"settings": SupplierSettings, "sandbox_settings": {}}


@pytest.mark.parametrize(
    ("changes", "test", "said"),
    [
        ({"routes": ()}, "test_the_page_s_calls_are_listed", "list every call"),
        ({"routes": (SandboxRoute("GET", "/x"),)}, "test_the_page_s_calls_are_listed", "used_for, or why_not"),
        ({"sandbox": None}, "test_it_has_a_sandbox", "write sandbox.py"),
        ({"capability_notes": {}}, "test_what_it_cannot_do_has_a_reason", "say for each of .*numbers"),
        (OPEN, "test_credentials_are_secrets", "api_key: make it a SecretStr"),
        (OPEN, "test_an_empty_credential_is_refused", "partner_secret: give it Field"),
        (NO_CREDENTIALS, "test_credentials_do_not_show", "credentials are missing"),
        ({}, "test_every_example_of_the_page_is_understood", "copy the JSON examples"),
    ],
)
def test_what_is_missing_is_named(changes, test, said):
    with pytest.raises(AssertionError, match=said):
        getattr(suite_of(**changes), test)()


async def test_a_capability_with_a_note_that_is_written_after_all_is_caught():
    suite = suite_of(capability_notes={Capability.CATALOG: "none"})
    async with open_shop(suite.manifest, small_world()) as shop:
        with pytest.raises(AssertionError, match="catalog is declared"):
            await suite.test_a_missing_capability_answers_with_its_reason(shop)


def test_a_readme_without_its_headings_is_caught():
    class TestBare(ProviderSuite):
        manifest: Manifest = manifest_of(provider=Bare)

    with pytest.raises(AssertionError, match=r"README\.md beside client\.py"):
        TestBare().test_the_readme_says_what_a_newcomer_asks()


@pytest.mark.parametrize(
    ("file", "source", "said"),
    [
        ("client.py", "from gateway.kit.settings import Settings", "imports gateway.kit.settings"),
        ("client.py", "from providers import pikasim", "imports providers.pikasim"),
        ("client.py", "import providers.s2s.mapping", "imports providers.s2s.mapping"),
        ("mapping.py", "import aiohttp", "it is pure"),
        ("wire.py", "from asyncpg import Pool", "it is pure"),
        ("webhook.py", "import redis.asyncio", "it is pure"),
    ],
)
def test_an_import_that_crosses_a_seam_is_caught(tmp_path, file, source, said):
    (tmp_path / file).write_text(source)
    with pytest.raises(AssertionError, match=said):
        check_imports(tmp_path)


def test_the_imports_of_a_plugin_s_own_house_are_fine(tmp_path: Path):
    plugin = tmp_path / "acme"
    plugin.mkdir()
    lines = (
        "import aiohttp",
        "from providers.acme import mapping",
        "from providers import units",
        "from providers.kit.transport import segment",
        "from schemas.plan import Offer",
        "from . import wire",
    )
    (plugin / "client.py").write_text("\n".join(lines))
    check_imports(plugin)


# --- overriding ---------------------------------------------------------------------------------------


def test_a_test_of_the_contract_is_overridden_by_an_expected_failure_only():
    async def test_two_walks_give_the_same(self, shop):
        """Would pass whatever the plugin does."""

    body = {"manifest": pikasim.MANIFEST, "test_two_walks_give_the_same": test_two_walks_give_the_same}
    with pytest.raises(TypeError, match="only an expected failure may"):
        type("TestSly", (ProviderSuite,), body)
    pytest.mark.xfail(test_two_walks_give_the_same)
    with pytest.raises(TypeError, match="only an expected failure may"):
        type("TestSilent", (ProviderSuite,), body)
    body["test_two_walks_give_the_same"] = pytest.mark.xfail(reason="it reshuffles")(test_two_walks_give_the_same)
    type("TestHonest", (ProviderSuite,), body)


def test_tests_of_the_manifest_are_guarded_too():
    with pytest.raises(TypeError, match="overrides a test of the contract"):
        type("TestSly", (ProviderSuite,), {"test_the_page_s_calls_are_listed": lambda self: None})
    assert issubclass(ProviderSuite, PluginSuite)


def test_a_plugin_s_own_tests_are_welcome():
    type("TestMore", (ProviderSuite,), {"test_prices_are_cents": lambda self: None, "lists": lambda item: True})


def test_not_supported_is_no_fault_of_a_supplier():
    assert not issubclass(NotSupported, SupplierError)
