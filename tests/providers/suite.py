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

import inspect
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import msgspec
import pytest
import stamina
import structlog
from pydantic import SecretStr, ValidationError

from providers.contract import CAPABILITY_METHODS, Capability, Manifest, Provider, check_manifest, check_settings
from providers.sandbox import Fault, FaultKind, Item, SandboxWorld
from schemas.errors import ConfigurationError, NotFound, NotSupported, SupplierError
from schemas.plan import Offer, SetAside
from tests.providers.shop import MISSING, PRIVATE, HostileWorld, Shop, Walk, echoing, open_shop, places, spoilt
from tests.providers.suite_orders import OrderSuite

T = TypeVar("T")

HEADINGS = ("Settings", "Calls", "Oddities", "Sandbox")
LONGEST_TEXT = 500
SECRET_WORDS = ("key", "secret", "token", "password")
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


class ProviderSuite(OrderSuite):
    """Give ``manifest`` and ``examples``; the rest has defaults.

    ``plans`` names the sandbox's items that the tests walk through, None for all of them; raise it as
    the mapping learns more. ``lists`` says which of the world's items the supplier shows at all.
    """

    manifest: ClassVar[Manifest]
    examples: ClassVar[Sequence[PageExample]] = ()
    plans: ClassVar[Sequence[str] | None] = None
    # Tests of single faults walk through this many plans, so that they stay quick.
    few: ClassVar[int] = 60

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, test in vars(cls).items():
            if name.startswith("test_") and hasattr(ProviderSuite, name) and not _is_expected_failure(test):
                raise TypeError(
                    f"{cls.__name__}.{name} overrides a test of the contract: only an expected failure may, "
                    f'so mark it @pytest.mark.xfail(reason="what the supplier cannot do")'
                )

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
            _keep(world, self.manifest.name, lambda item, _: item.key in self.plans)
        return world

    @pytest.fixture
    def few_plans(self, world: SandboxWorld) -> SandboxWorld:
        """Every so-manieth item, and one of each kind of dirt."""
        items = world.items(self.manifest.name)
        step = max(1, len(items) // self.few)
        seen: set[object] = set()

        def keep(item: Item, place: int) -> bool:
            new = item.dirt not in seen
            seen.add(item.dirt)
            return new or place % step == 0

        _keep(world, self.manifest.name, keep)
        return world

    @pytest.fixture
    async def shop(self, few_plans: SandboxWorld) -> AsyncIterator[Shop]:
        """The plugin, talking to its sandbox over HTTP."""
        async with open_shop(self.manifest, few_plans) as opened:
            yield opened

    # --- the manifest ---------------------------------------------------------------------------------

    def test_it_overrides_exactly_what_it_declares(self) -> None:
        check_manifest(self.manifest)

    def test_what_it_cannot_do_has_a_reason(self) -> None:
        if not issubclass(self.manifest.provider, Provider):
            pytest.skip("a payment supplier has no capabilities")
        silent = [
            c.value for c in Capability if c not in self.manifest.capabilities | set(self.manifest.capability_notes)
        ]
        assert not silent, (
            f"MANIFEST.capability_notes: say for each of {', '.join(silent)} why {self.manifest.title} cannot do it "
            "(people read it where they would use it), or declare and implement it"
        )

    async def test_a_missing_capability_answers_with_its_reason(self, shop: Shop) -> None:
        for capability, note in self.manifest.capability_notes.items():
            assert capability not in self.manifest.capabilities, (
                f"MANIFEST.capability_notes: {capability.value} is declared"
            )
            assert note.strip(), f"MANIFEST.capability_notes[{capability.value}]: say why"
            for method in CAPABILITY_METHODS[capability]:
                if method == "catalog":
                    continue
                error = await _called(getattr(shop.provider, method))
                assert isinstance(error, NotSupported), f"{method}() must stay as the contract has it"
                assert note in str(error)

    def test_the_page_s_calls_are_listed(self) -> None:
        assert self.manifest.routes, "MANIFEST.routes: list every call of the supplier's page as a SandboxRoute"
        for route in self.manifest.routes:
            assert route.used_for or route.why_not, (
                f"MANIFEST.routes: {route.method} {route.path}: say what it is used_for, or why_not"
            )

    def test_it_has_a_sandbox(self) -> None:
        assert self.manifest.sandbox is not None, (
            "MANIFEST.sandbox: write sandbox.py, the supplier as its page describes it"
        )

    def test_the_readme_says_what_a_newcomer_asks(self) -> None:
        readme = Path(inspect.getfile(self.manifest.provider)).with_name("README.md")
        assert readme.is_file(), f"write {readme.name} beside client.py with the headings {', '.join(HEADINGS)}"
        text = readme.read_text("utf-8")
        missing = [heading for heading in HEADINGS if f"\n## {heading}" not in text]
        assert not missing, (
            f"README.md of {self.manifest.name}: add the headings {', '.join(f'## {h}' for h in missing)}"
        )

    # --- the settings ---------------------------------------------------------------------------------

    def test_its_sandbox_settings_are_valid(self) -> None:
        settings = check_settings(self.manifest, self.manifest.name, self._settings())
        assert isinstance(settings, self.manifest.settings), "MANIFEST.sandbox_settings: give what `dev` shall use"

    def test_an_unknown_setting_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="no_such_setting"):
            check_settings(self.manifest, self.manifest.name, self._settings() | {"no_such_setting": "1"})

    def test_credentials_are_secrets(self) -> None:
        for name, field in self.manifest.settings.model_fields.items():
            if any(word in name for word in SECRET_WORDS) and not name.startswith("public"):
                assert "SecretStr" in str(field.annotation), (
                    f"{self.manifest.settings.__name__}.{name}: make it a SecretStr"
                )

    def test_credentials_do_not_show(self) -> None:
        settings = check_settings(self.manifest, self.manifest.name, self._settings())
        assert settings.secrets(), (
            f"{self.manifest.settings.__name__}: the credentials are missing, or are no SecretStr"
        )
        for secret in settings.secrets():
            assert secret not in repr(settings)
            assert secret not in str(settings.model_dump())

    def test_an_empty_credential_is_refused(self) -> None:
        values = self._settings()
        for name, field in self.manifest.settings.model_fields.items():
            if field.is_required() and field.annotation is SecretStr:
                refused = _refused(self.manifest, values | {name: ""})
                assert refused, f"{self.manifest.settings.__name__}.{name}: give it Field(min_length=1)"

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
        assert walk.offers, self._unmapped(walk)
        if self.plans is not None:
            assert not walk.set_aside, self._unmapped(walk)
        assert walk.accounted == len(shown), (
            f"mapped {len(walk.offers)} + set aside {len(walk.set_aside)} is not the sandbox's {len(shown)} items: "
            "an item that cannot be mapped is set aside with a reason, never dropped"
        )
        self._check_offers(walk.offers, shown)
        self._check_set_aside(walk.set_aside)
        repeated = [key for key, n in Counter(walk.keys).items() if n > 1]
        assert not repeated, f"mapping.py: supplier_plan_id {repeated[:3]} stands for several items"

    async def test_two_walks_give_the_same(self, shop: Shop) -> None:
        first, second = await shop.walk(), await shop.walk()
        assert first == second, "catalog(): nothing changed, and yet two walks differ"

    async def test_a_plan_looked_up_is_the_listed_plan(self, shop: Shop) -> None:
        self._needs(Capability.PLAN_LOOKUP)
        walk = await shop.walk()
        for listed in (*walk.offers[:8], *walk.set_aside[:3]):
            found = await shop.provider.plan(listed.supplier_plan_id)
            assert _without_raw(found) == _without_raw(listed), "plan(): gives something else than catalog()"

    @pytest.mark.parametrize(
        "strange", ["no-such-plan", "../../x", "..", "a/b?c=d#e", "%00", " ", "é" * 300, "<b>"], ids=ascii
    )
    async def test_a_plan_that_is_not_there_is_not_found(self, shop: Shop, strange: str) -> None:
        self._needs(Capability.PLAN_LOOKUP)
        end = await _end_of(shop.provider.plan(strange))
        assert isinstance(end, NotFound), (
            f"plan({strange!r}) ended in {end!r}: raise NotFound, and use transport.segment"
        )

    # --- when the supplier is out of order ------------------------------------------------------------

    @pytest.mark.parametrize("kind", SPOILT)
    async def test_a_spoilt_walk_ends_in_an_error_of_the_tree(self, shop: Shop, kind: FaultKind) -> None:
        shop.world.add_fault(self.manifest.name, _fault(kind))
        end = await _end_of(shop.walk())
        assert isinstance(end, SupplierError), (
            f"catalog(): with {kind.value} it ended as if whole, with {end.size} items"
        )
        assert end.supplier == shop.provider.name, "catalog(): an error without its supplier: let the transport make it"

    @pytest.mark.parametrize(("kind", "after"), [*((kind, 1) for kind in SPOILT), *((kind, 2) for kind in QUICK)])
    async def test_a_walk_spoilt_half_way_never_looks_whole(self, shop: Shop, kind: FaultKind, after: int) -> None:
        whole = await shop.walk()
        shop.world.add_fault(self.manifest.name, _fault(kind, after))
        await self._whole_or_error(shop, whole)

    @pytest.mark.parametrize("kind", MISLEADING)
    async def test_a_misleading_total_never_makes_a_part_look_whole(self, shop: Shop, kind: FaultKind) -> None:
        whole = await shop.walk()
        shop.world.add_fault(self.manifest.name, Fault(kind))
        await self._whole_or_error(shop, whole)

    async def test_a_supplier_that_recovers_is_walked_again(self, shop: Shop) -> None:
        shop.world.add_fault(self.manifest.name, Fault(FaultKind.SERVER_ERROR, calls=1))
        assert isinstance(await _end_of(shop.walk()), SupplierError)
        assert (await shop.walk()).size

    # --- when the supplier is hostile -----------------------------------------------------------------

    async def test_hostile_text_is_made_harmless(self, few_plans: SandboxWorld) -> None:
        hostile = HostileWorld(few_plans, self.manifest.name)
        async with open_shop(self.manifest, hostile) as shop:
            walk = await shop.walk()
        assert walk.accounted == sum(map(self.lists, hostile.items(self.manifest.name)))
        for text in walk.texts():
            assert len(text) <= LONGEST_TEXT, (
                f"mapping.py: a text of {len(text)} characters: use providers.text.clean_text"
            )
            assert "<" not in text, f"mapping.py: markup in {text[:60]!r}: use providers.text.clean_text"
            assert text.isprintable(), (
                f"mapping.py: control or RTL marks in {text[:60]!r}: use providers.text.clean_text"
            )
        assert all(b"\0" not in row.raw for row in walk.set_aside), (
            "mapping.py: NUL in raw: use providers.text.raw_json"
        )

    @pytest.mark.parametrize("wrong", [MISSING, None, "no such word", -1, [], {}, 10**30], ids=repr)
    async def test_a_field_of_another_shape_spoils_its_item_or_the_walk(
        self, few_plans: SandboxWorld, wrong: Any
    ) -> None:
        _keep(few_plans, self.manifest.name, lambda _, place: place < 4)
        async with open_shop(self.manifest, few_plans) as shop:
            whole = await shop.walk()
            for place in places(shop):
                if type(wrong) is type(place.value):
                    continue  # an empty list may be true, and so may another word
                with spoilt(shop, place, wrong):
                    end = await _end_of(shop.walk())
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
                    shop.world.add_fault(self.manifest.name, _fault(kind))
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

    def _settings(self) -> dict[str, Any]:
        given: Mapping[str, Any] = self.manifest.sandbox_settings
        return {"provider": self.manifest.name, "base_url": "http://127.0.0.1:1", **given}

    def _unmapped(self, walk: Walk) -> str:
        rows = [
            f"  {row.supplier_plan_id} {row.name!r}: {row.reason.value}: {row.detail}" for row in walk.set_aside[:5]
        ]
        return "\n".join(
            [
                f"providers/{self.manifest.name}/mapping.py: fill in how these become offers:",
                *(rows or ["  (no items)"]),
            ]
        )

    def _check_offers(self, offers: Sequence[Offer], shown: Sequence[Item]) -> None:
        prices = {item.price for item in shown}
        for offer in offers:
            assert offer.supplier_plan_id, f"mapping.py: {offer!r} has no id"
            assert offer.name, f"mapping.py: {offer!r} has no name"
            assert offer.coverage, f"mapping.py: {offer.name}: coverage is empty"
            assert list(offer.coverage) == sorted(set(offer.coverage)), (
                f"mapping.py: {offer.name}: coverage is not sorted"
            )
            assert all(len(code) == 2 and code.isalpha() and code.isupper() for code in offer.coverage), (
                f"mapping.py: {offer.name}: coverage {offer.coverage} must be ISO 3166-1 alpha-2 codes"
            )
            assert offer.validity.days > 0, f"mapping.py: {offer.name}: validity of {offer.validity.days} days"
            assert offer.data.unlimited == (offer.data.mb is None), f"mapping.py: {offer.name}: {offer.data}"
            assert offer.data.mb is None or offer.data.mb > 0, f"mapping.py: {offer.name}: {offer.data}"
            if offer.cost is not None:
                assert type(offer.cost.amount) is Decimal, f"mapping.py: {offer.name}: {offer.cost!r} is not a Decimal"
                assert offer.cost.amount > 0, f"mapping.py: {offer.name}: a cost of {offer.cost}; unknown is None"
                assert offer.cost.amount in prices, f"mapping.py: {offer.name}: {offer.cost} is no price of the sandbox"

    def _check_set_aside(self, rows: Sequence[SetAside]) -> None:
        for row in rows:
            assert row.detail, f"mapping.py: {row.name}: {row.reason.value} without a detail"
            assert row.raw, f"mapping.py: {row.name}: raw is empty: keep the item's own JSON"
            assert row.supplier_plan_id, f"mapping.py: {row.name}: an id is needed to show it"

    async def _whole_or_error(self, shop: Shop, whole: Walk) -> None:
        end = await _end_of(shop.walk())
        assert isinstance(end, SupplierError) or end.size == whole.size, (
            f"catalog(): it ended as if whole with {end.size} of {whole.size} items: raise an UnreadableAnswer"
        )


def _fault(kind: FaultKind, after: int = 0) -> Fault:
    return Fault(kind, after=after, seconds=5 if kind is FaultKind.SLOW else 0)


def _keep(world: SandboxWorld, supplier: str, wanted: Callable[[Item, int], bool]) -> None:
    items = world.items(supplier)
    world.remove(supplier, [item.key for place, item in enumerate(items) if not wanted(item, place)])


def _without_raw(row: Offer | SetAside) -> Offer | SetAside:
    return msgspec.structs.replace(row, raw=b"") if isinstance(row, SetAside) else row


def _is_expected_failure(test: Any) -> bool:
    marks = getattr(test, "pytestmark", ())
    return any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in marks)


def _refused(manifest: Manifest, values: Mapping[str, Any]) -> bool:
    try:
        manifest.settings.model_validate(values)
    except ValidationError:
        return True
    return False


async def _end_of(call: Awaitable[T]) -> T | SupplierError:
    """What a call gave, or the error of the tree that it ended in; any other error is the plugin's fault."""
    try:
        return await call
    except SupplierError as error:
        return error


async def _called(method: Callable[..., Any]) -> BaseException | None:
    arguments = [None] * len(inspect.signature(method).parameters)
    try:
        answer = method(*arguments)
        if inspect.isawaitable(answer):
            await answer
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller looks at it
        return error
    return None
