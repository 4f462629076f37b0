"""Walking one supplier's catalogue: each page compared with what stands, what differs put aside on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec

from gateway.catalog.diff_rules import UNKNOWN_RAW, StoredOffers, digest, offer_key, raw_digests
from gateway.sync.staging_rows import Staging
from providers.contract import Capability, CatalogPage, Provider
from providers.kit.mapping_overrides import MappingOverrides
from schemas.errors import UnreadableAnswer
from schemas.plan import Offer, SetAside, SetAsideReason

Seen: TypeAlias = Callable[[int, int | None], None]
"""MappingOverrides after each page: items met so far, and how many the supplier claims to have."""

# No catalogue is this large; a walk that goes on is a supplier whose pages never end.
MAX_PAGES = 200_000
MAX_ITEMS = 10_000_000
MAX_WARNINGS = 50
_json = msgspec.json.Encoder()


class Walk:
    """One walk in progress: what was met, counted, and what is to be written."""

    def __init__(
        self,
        supplier: str,
        stored: StoredOffers,
        staging: Staging,
        mapping: bytes = bytes(16),
        *,
        remapped: bool = True,
        overrides: MappingOverrides | None = None,
    ) -> None:
        """``mapping`` stands for what maps the items; ``remapped``: the stored offers were mapped otherwise.

        ``overrides`` are the mappings of operators; they are part of ``mapping``.
        """
        self.supplier = supplier
        self.mapping = mapping
        self._overrides = overrides
        self._remapped = remapped
        self.stored = stored
        self.staging = staging
        self.started_at = datetime.now(UTC)
        self.mapped = 0
        self.other_products = 0
        self.changed = 0
        self.warnings: list[str] = []
        self.tolerance = Decimal(0)
        self._repeated = 0
        self._capabilities: frozenset[Capability] | None = None
        self._contradictory: dict[bytes, bool | None] = {}  # keys, and what ``StoredOffers.as_stored`` said of each

    @property
    def new(self) -> int:
        """Offers that are not stored."""
        return self.stored.new - sum(state is None for state in self._contradictory.values())

    def gone(self) -> list[bytes]:
        """The keys of stored offers that are no longer sold: not met, or met with contradictory content.

        The latter did not vanish (``StoredOffers.gone_count``).
        """
        return self.stored.gone() + [key for key, state in self._contradictory.items() if state is not None]

    @property
    def total(self) -> int:
        """Items that are eSIMs: mapped and unmapped."""
        return self.mapped + self.staging.aside

    async def run(self, provider: Provider, seen: Seen | None = None) -> None:
        """Walk to the end. Raises ``SupplierError`` when the supplier did not give all of it."""
        pages = 0
        provider.recall = self.recall
        provider.overrides = self._overrides
        self._capabilities = provider.manifest.capabilities
        self.tolerance = provider.manifest.tolerance(provider.settings)
        walk: Any = provider.catalog()
        async with aclosing(walk):
            async for page in walk:
                pages += 1
                self.take(page)
                if pages > MAX_PAGES or self.total > MAX_ITEMS:
                    raise UnreadableAnswer("the pages of the catalogue do not end", supplier=self.supplier)
                if seen is not None:
                    seen(self.total + self.other_products, page.total)
        if self._repeated:
            self.warnings.insert(0, f"{self._repeated} items came more than once; the first counts")
        if self._contradictory:
            self.warnings.insert(0, f"{len(self._contradictory)} ids came with different content; none of them is sold")

    def take(self, page: CatalogPage) -> None:
        """Count a page and stage what differs from what stands."""
        self.other_products += page.other_products
        for warning in page.warnings:
            if warning not in self.warnings and len(self.warnings) < MAX_WARNINGS:
                self.warnings.append(warning)
        for item in page.set_aside:
            if not self.staging.add_aside(item):
                self._repeated += 1
            if self.stored.met(key := offer_key(self.supplier, item.supplier_plan_id)):
                self._drop(key)
        self.mapped += page.recalled
        raws = raw_digests(page.raws, self.mapping) or [UNKNOWN_RAW] * len(page.offers)
        offers = map(self._with_capabilities, page.offers)
        self._compare([(offer, raw) for offer, raw in zip(offers, raws, strict=True) if self._priced(offer)])

    def recall(self, items: Sequence[bytes]) -> Sequence[bool]:
        """Which items came as they came when they were mapped for the offers that stand."""
        if not len(self.stored):
            return [False] * len(items)
        return self.stored.recall(raw_digests(items, self.mapping))

    def _compare(self, met: list[tuple[Offer, bytes]]) -> None:
        if not met:
            return
        offers = [offer for offer, _ in met]
        keys = [offer_key(self.supplier, offer.supplier_plan_id) for offer in offers]
        digests = [digest(_json.encode(offer)) for offer in offers]
        before = self.stored.new
        differs, repeated, contradicts = self.stored.meet(keys, digests)
        again = int(repeated.sum())
        self._repeated += again
        self.mapped += len(offers) - again
        to_write = differs.nonzero()[0].tolist()
        self.changed += len(to_write) - (self.stored.new - before)
        for at in to_write:
            self.staging.add(offers[at], keys[at], digests[at] + met[at][1])
        for at, offer in enumerate(offers):
            if contradicts[at] or self.staging.is_aside(offer.supplier_plan_id):
                self.staging.add_aside(_contradictory(offer))
                self._drop(keys[at])
        if self._remapped:
            for at in (~differs & ~repeated).nonzero()[0].tolist():
                self.staging.add_digest(keys[at], digests[at] + met[at][1])

    def _drop(self, key: bytes) -> None:
        """Write nothing of an item that was met and has come with other content too."""
        if key in self._contradictory:
            return
        self._contradictory[key] = as_stored = self.stored.as_stored(key)
        self.mapped -= 1
        self.changed -= as_stored is False
        self.staging.drop(key, staged=not as_stored)

    def _with_capabilities(self, offer: Offer) -> Offer:
        """The offer with what its supplier can do for every eSIM: report usage, and take an unused one back."""
        if self._capabilities is None:
            return offer
        usage, refundable = (known in self._capabilities for known in (Capability.ESIM_STATUS, Capability.CANCEL))
        features = msgspec.structs.replace(offer.features, usage=usage, refundable=refundable)
        return msgspec.structs.replace(offer, features=features)

    def _priced(self, offer: Offer) -> bool:
        # A plugin that lets a cost of 0 or less through must not sell at it.
        if offer.cost is None or offer.cost.amount > 0:
            return True
        detail = f"the cost is {offer.cost.amount}"
        aside = SetAside(offer.supplier_plan_id, offer.name, SetAsideReason.NO_PRICE, detail, _json.encode(offer))
        if not self.staging.add_aside(aside):
            self._repeated += 1
        return False


def _contradictory(offer: Offer) -> SetAside:
    detail = "the supplier lists this id more than once, with different content"
    reason = SetAsideReason.CONTRADICTORY
    return SetAside(offer.supplier_plan_id, offer.name, reason, detail, _json.encode(offer), cost=offer.cost)
