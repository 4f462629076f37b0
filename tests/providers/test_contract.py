from __future__ import annotations

import inspect
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from providers.checks import check_manifest, check_settings
from providers.contract import (
    CAPABILITY_METHODS,
    Capability,
    CatalogPage,
    Manifest,
    PaymentProvider,
    Provider,
    SupplierSettings,
)
from schemas.errors import ConfigurationError, NotSupported


class BareSettings(SupplierSettings):
    api_key: SecretStr
    webhook_secret: SecretStr | None = None


class Bare(Provider):
    """Sells, and can do nothing else."""

    async def catalog(self):
        yield CatalogPage()


def manifest_of(**changes: Any) -> Manifest:
    values = {
        "name": "bare",
        "title": "Bare",
        "capabilities": frozenset({Capability.CATALOG}),
        "settings": BareSettings,
        "provider": Bare,
        "capability_notes": {Capability.CANCEL: "what is sold is sold"},
    }
    return Manifest(**(values | changes))


class FakeTransport:
    closed = False

    async def close(self) -> None:
        self.closed = True


def values(**changes: object) -> dict[str, object]:
    return {"provider": "bare", "base_url": "https://a.example", "api_key": "secret-1"} | changes


# --- capability and override --------------------------------------------------------------------------


def test_a_manifest_that_agrees_with_its_class_passes():
    check_manifest(manifest_of())


@pytest.mark.parametrize("capability", [c for c in Capability if c is not Capability.CATALOG])
def test_a_declared_capability_must_be_overridden_and_the_other_way_round(capability):
    methods = CAPABILITY_METHODS[capability]
    declared = manifest_of(capabilities=frozenset({Capability.CATALOG, capability}))
    with pytest.raises(ConfigurationError) as caught:
        check_manifest(declared)
    assert all(f"does not define {method}()" in str(caught.value) for method in methods)

    able = type("Able", (Bare,), dict.fromkeys(methods, Bare.catalog))
    with pytest.raises(ConfigurationError) as caught:
        check_manifest(manifest_of(provider=able))
    assert all(
        f"Able defines {method}() but {capability.value} is not declared" in str(caught.value) for method in methods
    )
    check_manifest(manifest_of(provider=able, capabilities=declared.capabilities))


def test_half_of_a_capability_is_not_enough():
    half = type("Half", (Bare,), {"purchase": Bare.catalog})
    with pytest.raises(ConfigurationError, match=r"does not define find_order\(\)"):
        check_manifest(manifest_of(provider=half, capabilities=frozenset({Capability.CATALOG, Capability.ORDERS})))


@pytest.mark.parametrize("name", ["", "Bare", "two words", "9", "a-b"])
def test_a_provider_s_name_is_a_lower_case_identifier(name):
    with pytest.raises(ConfigurationError, match="lower-case identifier"):
        check_manifest(manifest_of(name=name))


def test_a_class_that_is_no_provider_and_settings_that_are_none_are_named():
    with pytest.raises(ConfigurationError, match="neither a Provider nor a PaymentProvider"):
        check_manifest(manifest_of(provider=dict))
    with pytest.raises(ConfigurationError, match="dict does not extend SupplierSettings"):
        check_manifest(manifest_of(settings=dict))


def test_a_payment_provider_has_no_capabilities_to_agree_on():
    class Pays(PaymentProvider):
        pass

    check_manifest(manifest_of(provider=Pays, capabilities=frozenset()))


def test_every_optional_method_of_the_base_belongs_to_one_capability():
    listed = [method for methods in CAPABILITY_METHODS.values() for method in methods]
    public = {name for name, _ in inspect.getmembers(Provider, inspect.isfunction) if not name.startswith("_")}
    assert sorted(listed) == sorted(public - {"close", "recall", "remap", "probes"})


@pytest.mark.parametrize("capability", [c for c in Capability if c is not Capability.CATALOG])
async def test_what_is_missing_says_so_with_the_reason(capability):
    provider = Bare(manifest_of(), "my-account", BareSettings(**values()), FakeTransport())
    for name in CAPABILITY_METHODS[capability]:
        method = getattr(provider, name)
        arguments = [None] * len(inspect.signature(method).parameters)
        with pytest.raises(NotSupported) as caught:
            await ended(method, arguments)
        assert (caught.value.supplier, caught.value.capability) == ("my-account", capability.value)
    noted = NotSupported("my-account", "cancel", "what is sold is sold")
    if capability is Capability.CANCEL:
        assert str(caught.value) == str(noted)


async def ended(method: Any, arguments: list[None]) -> None:
    answer = method(*arguments)
    if inspect.isawaitable(answer):
        await answer


async def test_closing_a_provider_closes_its_connections():
    transport = FakeTransport()
    await Bare(manifest_of(), "a", BareSettings(**values()), transport).close()
    assert transport.closed


def test_a_provider_without_a_catalogue_cannot_be_made():
    with pytest.raises(TypeError, match="catalog"):
        type("Empty", (Provider,), {})(manifest_of(), "a", BareSettings(**values()), FakeTransport())


# --- settings -----------------------------------------------------------------------------------------


def test_settings_are_typed_and_have_defaults():
    settings = check_settings(manifest_of(), "mine", values(charge_tolerance="0.05", requests_per_minute="30"))
    assert isinstance(settings, BareSettings)
    assert (settings.charge_tolerance, settings.requests_per_minute) == (Decimal("0.05"), 30)
    assert (settings.mode, settings.timeout_seconds, settings.trust_absence) == ("live", 30, False)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"apikey": "x"}, r"suppliers\.mine\.apikey: "),
        ({"mode": "demo"}, r"suppliers\.mine\.mode: "),
        ({"requests_per_minute": 0}, r"suppliers\.mine\.requests_per_minute: "),
        ({"timeout_seconds": "soon"}, r"suppliers\.mine\.timeout_seconds: "),
        ({"charge_tolerance": -1}, r"suppliers\.mine\.charge_tolerance: "),
    ],
)
def test_each_wrong_key_is_named_with_its_account(changes, said):
    with pytest.raises(ConfigurationError, match=said):
        check_settings(manifest_of(), "mine", values(**changes))


def test_a_missing_key_is_named_and_no_value_is_shown():
    given = values(nonsense="secret-2")
    del given["base_url"]
    with pytest.raises(ConfigurationError) as caught:
        check_settings(manifest_of(), "mine", given)
    assert "suppliers.mine.base_url" in str(caught.value)
    assert "secret" not in str(caught.value).replace("webhook_secret", "")


def test_absence_is_trusted_only_where_a_fence_is_named():
    with pytest.raises(ConfigurationError, match=r"suppliers\.mine\.trust_absence"):
        check_settings(manifest_of(), "mine", values(trust_absence=True))
    fenced = manifest_of(absence_fence="signed timestamps are good for five minutes")
    assert check_settings(fenced, "mine", values(trust_absence=True)).trust_absence


def test_absence_is_not_trusted_before_the_fence_has_closed():
    fenced = manifest_of(absence_fence="signed timestamps are good for five minutes", absence_fence_seconds=600)
    assert check_settings(fenced, "mine", values(trust_absence=True, quiescence_seconds=600)).trust_absence
    assert check_settings(fenced, "mine", values(quiescence_seconds=60)).quiescence_seconds == 60
    with pytest.raises(ConfigurationError, match=r"suppliers\.mine\.quiescence_seconds: .*600"):
        check_settings(fenced, "mine", values(trust_absence=True, quiescence_seconds=599))


def test_every_secret_is_known_for_redaction_and_none_shows():
    settings = BareSettings(**values(webhook_secret="secret-2"))
    assert settings.secrets() == ("secret-1", "secret-2")
    assert "secret-" not in repr(settings)
    assert BareSettings(**values()).secrets() == ("secret-1",)


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(ValueError, match="frozen"):
        BareSettings(**values()).mode = "test"


def test_a_moment_is_passed_to_transactions_as_it_is():
    provider = Bare(manifest_of(), "a", BareSettings(**values()), FakeTransport())
    with pytest.raises(NotSupported):
        provider.transactions(datetime(2026, 1, 1, tzinfo=UTC))
