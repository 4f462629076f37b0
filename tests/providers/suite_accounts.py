"""The part of the contract that is about our account at a supplier: what it is, its keys, its webhooks, its probes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import ClassVar

import pytest

from providers.contract import Capability, Manifest
from providers.kit.transport import MemoryRateLimiter
from providers.loader import open_provider
from providers.simulator import FaultKind
from schemas.errors import DeadlinePassed, NotAuthorised, Outcome, SupplierError
from tests.providers.checks import fault
from tests.providers.shop import Shop

NAME = "a key of the tests"


class AccountSuite:
    """The tests of an account. Those of a capability that is not declared are skipped."""

    manifest: ClassVar[Manifest]

    def _able(self, capability: Capability) -> None:
        if capability not in self.manifest.capabilities:
            pytest.skip(f"{self.manifest.name} has no {capability.value}")

    async def test_its_probes_go_through_and_buy_nothing(self, shop: Shop) -> None:
        names = [probe.what for probe in shop.provider.probes()]
        assert len(set(names)) == len(names), "probes(): two have one name"
        for probe in shop.provider.probes():
            for setting in probe.settings:
                assert setting.split(".")[0] in self.manifest.settings.model_fields, (
                    f"{probe.what}: no setting {setting}"
                )
            await probe.read()
        if Capability.ORDERS in self.manifest.capabilities:
            assert not shop.world.simulator(self.manifest.name).sales()

    async def test_its_account_is_told_or_it_raises(self, shop: Shop) -> None:
        self._able(Capability.ACCOUNT)
        told = await shop.provider.account()
        assert told.name, "SupplierAccount.name: what the supplier calls us"
        assert told.active is True
        for kind in (FaultKind.HTML, FaultKind.TRUNCATED, FaultKind.SERVER_ERROR, FaultKind.UNAUTHORISED):
            shop.world.clear_faults(self.manifest.name)
            shop.world.add_fault(self.manifest.name, fault(kind))
            with pytest.raises(SupplierError):
                await shop.provider.account()

    async def test_a_key_is_made_found_by_its_name_used_and_revoked(self, shop: Shop) -> None:
        self._able(Capability.KEYS)
        provider = shop.provider
        before = await provider.keys()
        made = await provider.create_key(NAME)
        assert made.secret not in repr(made)
        (row,) = [key for key in await provider.keys() if key.name == NAME]
        assert row.active
        assert made.secret.startswith(row.prefix), "SupplierKey.prefix: how the key begins"
        other = open_provider(self.manifest, "other", provider.with_key(made.secret), MemoryRateLimiter("other"))
        try:
            assert {key.id for key in await other.keys()} == {row.id, *(key.id for key in before)}
            await provider.revoke_key(row.id)
            with pytest.raises(NotAuthorised):
                await other.keys()
        finally:
            await other.close()
        await provider.revoke_key(row.id)  # gone already is no error
        assert not [key for key in await provider.keys() if key.name == NAME and key.active]

    async def test_a_key_is_asked_for_once_and_never_late(self, shop: Shop) -> None:
        self._able(Capability.KEYS)
        with pytest.raises(DeadlinePassed):
            await shop.provider.create_key(NAME, datetime.now(UTC) - timedelta(seconds=1))
        assert not [key for key in await shop.provider.keys() if key.name == NAME]
        shop.world.add_fault(self.manifest.name, fault(FaultKind.TRUNCATED))
        shop.sent.clear()
        with pytest.raises(SupplierError) as lost:
            await shop.provider.create_key(NAME)
        assert lost.value.outcome is Outcome.UNKNOWN
        assert len(shop.sent) == 1, f"create_key(): one POST, never more, and here {shop.sent}"

    async def test_the_address_of_webhooks_is_set_and_a_test_asked_for(self, shop: Shop) -> None:
        self._able(Capability.WEBHOOK_SETTINGS)
        sender = shop.world.simulator(self.manifest.name).webhooks
        await shop.provider.set_webhook("http://127.0.0.1:9/webhooks/x")
        assert sender.plan.url == "http://127.0.0.1:9/webhooks/x"
        await shop.provider.test_webhook()
