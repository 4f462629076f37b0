"""The contract that every supplier plugin passes.

A plugin's test is this class with its own examples::

    class TestPikasim(ProviderSuite):
        manifest = MANIFEST
        examples = (PageExample("list packages", PACKAGES_JSON, read=offers_of, expected=(Offer(...),)),)

Everything runs over HTTP against the plugin's own sandbox. A test of the suite may be overridden only
by an expected failure that gives its reason::

        @pytest.mark.xfail(reason="the page of one plan leaves the stock out")
        async def test_a_plan_looked_up_is_the_listed_plan(self, shop): ...

Failures say what to fill in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import stamina
import structlog

from providers.contract import Capability, Manifest
from providers.simulator import Fault, FaultKind, Item, SandboxWorld
from schemas.errors import NotFound, SupplierError
from schemas.plan import SetAside
from tests.providers.checks import (
    check_ids,
    check_offers,
    check_set_aside,
    check_texts,
    end_of,
    fault,
    keep,
    unmapped,
    without_raw,
)
from tests.providers.market import impatient
from tests.providers.plugin_suite import PluginSuite
from tests.providers.shop import MISSING, PRIVATE, HostileWorld, Shop, Walk, echoing, open_shop, places, spoilt
from tests.providers.suite_accounts import AccountSuite
from tests.providers.suite_orders import OrderSuite

SPOILT = (
    FaultKind.DOWN,
    FaultKind.SLOW,
    FaultKind.SERVER_ERROR,
    FaultKind.TRUNCATED,
    FaultKind.HTML,
    FaultKind.GZIP_BOMB,
    FaultKind.RATE_LIMITED,
    FaultKind.UNAUTHORISED,
    FaultKind.VANISH_MIDWAY,
)
# Those that neither keep a test waiting nor cost the sandbox much.
QUICK = tuple(kind for kind in SPOILT if kind not in {FaultKind.SLOW, FaultKind.GZIP_BOMB})
MISLEADING = (FaultKind.WRONG_TOTAL, FaultKind.EMPTY_PAGES)


@dataclass(frozen=True)
class PageExample:
    """One JSON example from the supplier's page, verbatim, and what it must become.

    ``read`` is the plugin's own decoding and mapping of it. ``place`` says where on the page it stands.
    """

    place: str
    body: str
    read: Callable[[bytes], object]
    expected: object


class ProviderSuite(OrderSuite, AccountSuite, PluginSuite):
    """Give ``manifest`` and ``examples``; the rest has defaults.

    ``plans`` names the sandbox's items that the tests walk through, None for all of them; raise it as
    the mapping learns more. ``lists`` says which of the world's items the supplier shows at all.
    """

    manifest: ClassVar[Manifest]
    examples: ClassVar[Sequence[PageExample]] = ()
    plans: ClassVar[Sequence[str] | None] = None
    # Tests of single faults walk through this many plans, so that they stay quick.
    few: ClassVar[int] = 60

    @staticmethod
    def lists(item: Item) -> bool:
        """Whether the supplier shows this item of the world in its catalogue."""
        return item is not None

    # --- what the tests stand on ----------------------------------------------------------------------

    @pytest.fixture(autouse=True)
    def _no_waiting(self) -> Any:
        with stamina.set_testing(True, attempts=1):
            yield

    @pytest.fixture
    def world(self) -> SandboxWorld:
        """The whole catalogue of the supplier, or the plans that are named."""
        world = SandboxWorld([self.manifest.name], enforce_rate_limits=False)
        if self.plans is not None:
            keep(world, self.manifest.name, lambda item, _: item.key in self.plans)
        return world

    @pytest.fixture
    def few_plans(self, world: SandboxWorld) -> SandboxWorld:
        """Every so-manieth item, and one of each kind of dirt."""
        items = world.items(self.manifest.name)
        step = max(1, len(items) // self.few)
        seen: set[object] = set()

        def wanted(item: Item, place: int) -> bool:
            new = item.dirt not in seen
            seen.add(item.dirt)
            return new or place % step == 0

        keep(world, self.manifest.name, wanted)
        return world

    @pytest.fixture
    async def shop(self, few_plans: SandboxWorld) -> AsyncIterator[Shop]:
        """The plugin, talking to its sandbox over HTTP."""
        async with open_shop(self.manifest, few_plans) as opened:
            yield opened

    # --- the page's own examples ----------------------------------------------------------------------

    def test_every_example_of_the_page_is_understood(self) -> None:
        assert self.examples, (
            f"{type(self).__name__}.examples: copy the JSON examples of {self.manifest.title}'s page, verbatim, "
            "each as a PageExample with what it must become"
        )
        for example in self.examples:
            found = example.read(example.body.encode())
            why = f": {found.detail}" if isinstance(found, SetAside) else ""
            assert found == example.expected, f"mapping.py: {example.place} becomes something else{why}"

    # --- the catalogue --------------------------------------------------------------------------------

    async def test_a_whole_walk_accounts_for_every_item(self, world: SandboxWorld) -> None:
        async with open_shop(self.manifest, world) as shop:
            walk = await shop.walk()
        shown = [item for item in world.items(self.manifest.name) if self.lists(item)]
        assert walk.offers, unmapped(self.manifest, walk)
        if self.plans is not None:
            assert not walk.set_aside, unmapped(self.manifest, walk)
        assert walk.accounted == len(shown), (
            f"mapped {len(walk.offers)} + set aside {len(walk.set_aside)} is not the sandbox's {len(shown)} items: "
            "an item that cannot be mapped is set aside with a reason, never dropped"
        )
        check_offers(walk.offers, shown)
        check_set_aside(walk.set_aside)
        check_ids(walk)

    async def test_two_walks_give_the_same(self, shop: Shop) -> None:
        first, second = await shop.walk(), await shop.walk()
        assert first == second, "catalog(): nothing changed, and yet two walks differ"

    async def test_what_is_recalled_is_neither_mapped_again_nor_lost(self, shop: Shop) -> None:
        first = await shop.walk()
        assert len(first.raws) in {0, len(first.offers)}, "catalog(): raws are those of the offers, in their order"
        known = set(first.raws[::2])
        shop.provider.recall = lambda items: [bytes(item) in known for item in items]
        second = await shop.walk()
        assert second.recalled == len(known), "catalog(): it leaves out other items than recall() knows"
        assert second.size == first.size, f"catalog(): with recall it lost {first.size - second.size} items"
        assert known.isdisjoint(second.raws), "catalog(): it maps what recall() knows"
        assert second.set_aside == first.set_aside, "catalog(): what was recalled changes what is set aside"

    async def test_a_plan_looked_up_is_the_listed_plan(self, shop: Shop) -> None:
        self._needs(Capability.PLAN_LOOKUP)
        walk = await shop.walk()
        by_product = any(one.supplier_product_id is not None for one in walk.offers)
        for listed in (*walk.offers[:8], *walk.set_aside[: 0 if by_product else 3]):
            product = getattr(listed, "supplier_product_id", None)
            found = await shop.provider.plan(listed.supplier_plan_id, product)
            assert without_raw(found) == without_raw(listed), "plan(): gives something else than catalog()"

    @pytest.mark.parametrize(
        "strange", ["no-such-plan", "../../x", "..", "a/b?c=d#e", "%00", " ", "é" * 300, "<b>"], ids=ascii
    )
    async def test_a_plan_that_is_not_there_is_not_found(self, shop: Shop, strange: str) -> None:
        self._needs(Capability.PLAN_LOOKUP)
        product = (await shop.walk()).offers[0].supplier_product_id
        ends = [await end_of(shop.provider.plan(strange, product))]
        if product is not None:
            ends.append(await end_of(shop.provider.plan(strange, strange)))
        assert all(isinstance(end, NotFound) for end in ends), (
            f"plan({strange!r}) ended in {ends!r}: raise NotFound, and use transport.segment"
        )

    # --- when the supplier is out of order ------------------------------------------------------------

    @pytest.mark.parametrize("kind", SPOILT)
    async def test_a_spoilt_walk_ends_in_an_error_of_the_tree(self, shop: Shop, kind: FaultKind) -> None:
        shop.world.add_fault(self.manifest.name, fault(kind))
        async with _without_waiting(shop, kind):
            end = await end_of(shop.walk())
        assert isinstance(end, SupplierError), (
            f"catalog(): with {kind.value} it ended as if whole, with {end.size} items"
        )
        assert end.supplier == shop.provider.name, "catalog(): an error without its supplier: let the transport make it"

    @pytest.mark.parametrize(("kind", "after"), [*((kind, 1) for kind in SPOILT), *((kind, 2) for kind in QUICK)])
    async def test_a_walk_spoilt_half_way_never_looks_whole(self, shop: Shop, kind: FaultKind, after: int) -> None:
        whole = await shop.walk()
        shop.world.add_fault(self.manifest.name, fault(kind, after))
        async with _without_waiting(shop, kind):
            await _whole_or_error(shop, whole)

    @pytest.mark.parametrize("kind", MISLEADING)
    async def test_a_misleading_total_never_makes_a_part_look_whole(self, shop: Shop, kind: FaultKind) -> None:
        whole = await shop.walk()
        shop.world.add_fault(self.manifest.name, Fault(kind))
        await _whole_or_error(shop, whole)

    async def test_a_supplier_that_recovers_is_walked_again(self, shop: Shop) -> None:
        shop.world.add_fault(self.manifest.name, Fault(FaultKind.SERVER_ERROR, calls=1))
        assert isinstance(await end_of(shop.walk()), SupplierError)
        assert (await shop.walk()).size

    # --- when the supplier is hostile -----------------------------------------------------------------

    async def test_hostile_text_is_made_harmless(self, few_plans: SandboxWorld) -> None:
        hostile = HostileWorld(few_plans, self.manifest.name)
        async with open_shop(self.manifest, hostile) as shop:
            walk = await shop.walk()
        assert walk.accounted == sum(map(self.lists, hostile.items(self.manifest.name)))
        check_texts(walk)

    @pytest.mark.parametrize("wrong", [MISSING, None, "no such word", -1, [], {}, 10**30], ids=repr)
    async def test_a_field_of_another_shape_spoils_its_item_or_the_walk(
        self, few_plans: SandboxWorld, wrong: Any
    ) -> None:
        keep(few_plans, self.manifest.name, lambda _, place: place < 4)
        async with open_shop(self.manifest, few_plans) as shop:
            whole = await shop.walk()
            for place in places(shop):
                if type(wrong) is type(place.value):
                    continue  # an empty list may be true, and so may another word
                with spoilt(shop, place, wrong):
                    end = await end_of(shop.walk())
                assert isinstance(end, SupplierError) or end.size >= whole.size, (
                    f"{place}: with {wrong!r} there, a walk ended as if whole with {end.size} of {whole.size} items: "
                    "set the item aside, or raise an UnreadableAnswer"
                )

    # --- secrets --------------------------------------------------------------------------------------

    async def test_no_secret_stands_in_an_error_or_a_log_line(self, few_plans: SandboxWorld) -> None:
        transcript: list[str] = []
        async with open_shop(self.manifest, few_plans) as shop:
            with structlog.testing.capture_logs() as lines:
                for kind in QUICK:
                    shop.world.clear_faults(self.manifest.name)
                    shop.world.add_fault(self.manifest.name, fault(kind))
                    transcript += await shop.complaint()
                shop.world.clear_faults(self.manifest.name)
                for status in (200, 400, 401, 404, 409, 422):
                    with echoing(shop, status):
                        transcript += await shop.complaint()
            transcript += [repr(line) for line in lines]
            secrets = (*shop.provider.settings.secrets(), *PRIVATE)
        assert transcript, "no fault was noticed"
        for secret in secrets:
            leaks = [text for text in transcript if secret in text]
            assert not leaks, f"{secret[:6]}… stands in {leaks[0][:300]}: let the transport make the detail"

    # --- helpers --------------------------------------------------------------------------------------

    def _needs(self, capability: Capability) -> None:
        if capability not in self.manifest.capabilities:
            pytest.skip(f"{self.manifest.name} has no {capability.value}")


def _without_waiting(shop: Shop, kind: FaultKind) -> AbstractAsyncContextManager[None]:
    return impatient(shop.provider) if kind is FaultKind.SLOW else nullcontext()


async def _whole_or_error(shop: Shop, whole: Walk) -> None:
    end = await end_of(shop.walk())
    assert isinstance(end, SupplierError) or end.size == whole.size, (
        f"catalog(): it ended as if whole with {end.size} of {whole.size} items: raise an UnreadableAnswer"
    )
