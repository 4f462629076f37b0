from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest

import providers
from providers import loader
from providers.checks import check_settings
from providers.contract import Manifest, PaymentProvider
from providers.kit.transport import MemoryRateLimiter
from providers.loader import load_manifests, open_payment, open_provider
from schemas.errors import ConfigurationError
from tests.providers.test_contract import Bare, manifest_of

GROUP = "esim_gateway.providers"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder in which further plugins of the tree are found."""
    monkeypatch.setattr(providers, "__path__", [*providers.__path__, str(tmp_path)])

    def add(name: str, source: str) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(source)

    yield add
    for module in [name for name in sys.modules if name.startswith("providers.extra_")]:
        del sys.modules[module]


@pytest.fixture
def entry_point(monkeypatch):
    """Third parties' packages, as an installation would announce them."""
    points: list[EntryPoint] = []
    monkeypatch.setattr(loader, "_announced", lambda _path: [point for point in points if point.group == GROUP])

    def add(name: str, found: object) -> None:
        module = ModuleType(f"third_party_{name}")
        module.MANIFEST = found
        monkeypatch.setitem(sys.modules, module.__name__, module)
        points.append(EntryPoint(name, f"{module.__name__}:MANIFEST", GROUP))

    add.points = points
    return add


STAMPED = """
from tests.providers.test_contract import manifest_of
MANIFEST = manifest_of(name="{name}")
"""


def test_the_suppliers_of_the_tree_are_found_by_folder():
    found = load_manifests()
    assert {"beppay", "pikasim", "s2s"} <= set(found)
    assert list(found) == sorted(found)
    assert all(name == manifest.name for name, manifest in found.items())
    assert not {"sandbox", "scaffold"} & set(found)


def test_a_new_folder_needs_no_central_edit(folder):
    folder("extra_owl", STAMPED.format(name="extra_owl"))
    assert load_manifests()["extra_owl"].title == "Bare"


@pytest.mark.parametrize("source", ["import no_such_module", "1 / 0", "def f(:", "raise SystemError('x')"])
def test_a_plugin_that_cannot_be_imported_stops_the_start_and_is_named(folder, source):
    folder("extra_broken", source)
    with pytest.raises(ConfigurationError, match=r"^providers/extra_broken: cannot be imported: \w+Error: "):
        load_manifests()


@pytest.mark.parametrize("source", ["", "MANIFEST = None", "MANIFEST = {}"])
def test_a_folder_without_a_manifest_is_no_silent_gap(folder, source):
    folder("extra_empty", source)
    with pytest.raises(ConfigurationError, match="providers/extra_empty: has no MANIFEST"):
        load_manifests()


def test_a_folder_and_its_manifest_have_one_name(folder):
    folder("extra_owl", STAMPED.format(name="extra_cat"))
    with pytest.raises(ConfigurationError, match="extra_owl: its MANIFEST is named 'extra_cat'"):
        load_manifests()


def test_a_plugin_that_disagrees_with_its_manifest_stops_the_start(folder):
    folder("extra_liar", STAMPED.format(name="extra_liar") + "import dataclasses\nfrom providers.contract import *\n"
           "MANIFEST = dataclasses.replace(MANIFEST, capabilities=frozenset(Capability))\n")  # fmt: skip
    with pytest.raises(ConfigurationError, match=r"provider extra_liar: declares .* but Bare does not define"):
        load_manifests()


def test_a_third_party_s_plugin_is_found_by_its_entry_point(entry_point):
    entry_point("owl", manifest_of(name="owl"))
    assert "owl" in load_manifests()


def test_an_installed_package_is_found_by_what_it_announces(tmp_path, monkeypatch):
    (tmp_path / "owl_esim.py").write_text(STAMPED.format(name="installed_owl"))
    about = tmp_path / "owl_esim-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: owl-esim\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{GROUP}]\nowl = owl_esim:MANIFEST\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "installed_owl" in load_manifests()


def test_an_entry_point_may_name_the_module_too(entry_point):
    entry_point("owl", manifest_of(name="owl"))
    entry_point.points[0] = EntryPoint("owl", "third_party_owl", GROUP)
    assert "owl" in load_manifests()


@pytest.mark.parametrize("value", ["no_such_package:MANIFEST", "sys:no_such_name"])
def test_an_entry_point_that_cannot_be_loaded_stops_the_start(entry_point, value):
    entry_point.points.append(EntryPoint("owl", value, GROUP))
    with pytest.raises(ConfigurationError, match=f"entry point owl = {value}: cannot be imported"):
        load_manifests()


def test_an_entry_point_that_is_no_manifest_stops_the_start(entry_point):
    entry_point("owl", "something else")
    with pytest.raises(ConfigurationError, match="has no MANIFEST"):
        load_manifests()


def test_two_providers_of_one_name_stop_the_start(entry_point):
    entry_point("mine", manifest_of(name="pikasim"))
    with pytest.raises(ConfigurationError, match="there is another provider named 'pikasim'"):
        load_manifests()


def settings_of(manifest: Manifest, **values: object):
    base = {"provider": manifest.name, "base_url": "https://supplier.example/v1", "api_key": "key-1234"}
    return check_settings(manifest, "account", base | values)


async def test_two_accounts_of_one_provider_have_connections_of_their_own():
    manifest = manifest_of()
    first = open_provider(manifest, "one", settings_of(manifest), MemoryRateLimiter("one"))
    second = open_provider(
        manifest, "two", settings_of(manifest, base_url="http://127.0.0.1:1"), MemoryRateLimiter("two")
    )
    assert isinstance(first, Bare)
    assert (first.name, second.name) == ("one", "two")
    assert (first.transport.base_url, second.transport.base_url) == (
        "https://supplier.example/v1",
        "http://127.0.0.1:1",
    )
    assert first.transport is not second.transport
    await first.close()
    await second.close()


async def test_an_account_s_secrets_are_known_to_its_transport():
    manifest = manifest_of()
    provider = open_provider(manifest, "one", settings_of(manifest), MemoryRateLimiter("one"))
    assert "key-1234" not in provider.transport.redact("bad key-1234")


def test_a_base_url_that_cannot_be_used_names_the_account():
    manifest = manifest_of()
    with pytest.raises(ConfigurationError, match=r"suppliers\.one\.base_url"):
        open_provider(
            manifest, "one", settings_of(manifest, base_url="http://supplier.example"), MemoryRateLimiter("one")
        )


class Pays(PaymentProvider):
    create_link = link = links = close_link = verify_notice = parse_notice = None


def test_a_payment_supplier_is_not_opened_as_one_of_esims():
    manifest = manifest_of(provider=Pays, capabilities=frozenset())
    with pytest.raises(ConfigurationError, match="takes payments"):
        open_provider(manifest, "pay", settings_of(manifest), MemoryRateLimiter("pay"))


async def test_a_payment_supplier_is_opened_with_its_secrets_known_to_its_transport():
    manifest = manifest_of(provider=Pays, capabilities=frozenset())
    opened = open_payment(manifest, "pay", settings_of(manifest), MemoryRateLimiter("pay"))
    assert isinstance(opened, Pays)
    assert "key-1234" not in opened.transport.redact("bad key-1234")
    await opened.close()


def test_a_supplier_of_esims_is_not_opened_as_one_of_payments():
    manifest = manifest_of()
    with pytest.raises(ConfigurationError, match="takes no payments"):
        open_payment(manifest, "pay", settings_of(manifest), MemoryRateLimiter("pay"))
