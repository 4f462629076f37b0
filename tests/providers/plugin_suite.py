"""The part of the contract that needs no supplier: the manifest, the settings, the plugin's own files."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from providers.checks import check_manifest, check_settings
from providers.contract import CAPABILITY_METHODS, Capability, Manifest, Provider
from schemas.errors import ConfigurationError, NotSupported
from tests.providers.checks import check_imports, error_of, is_expected_failure, refuses
from tests.providers.shop import Shop

HEADINGS = ("Settings", "Calls", "Oddities", "Sandbox")
SECRET_WORDS = ("key", "secret", "token", "password")


class PluginSuite:
    """Give ``manifest``, and a fixture ``shop``: the plugin talking to its sandbox."""

    manifest: ClassVar[Manifest]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, test in vars(cls).items():
            inherited = any(name in vars(base) for base in cls.__mro__[1:])
            if name.startswith("test_") and inherited and not is_expected_failure(test):
                raise TypeError(
                    f"{cls.__name__}.{name} overrides a test of the contract: only an expected failure may, "
                    f'so mark it @pytest.mark.xfail(reason="what the supplier cannot do")'
                )

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
                error = await error_of(getattr(shop.provider, method))
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
        readme = self._folder() / "README.md"
        assert readme.is_file(), f"write {readme.name} beside client.py with the headings {', '.join(HEADINGS)}"
        text = readme.read_text("utf-8")
        missing = [heading for heading in HEADINGS if f"\n## {heading}" not in text]
        assert not missing, (
            f"README.md of {self.manifest.name}: add the headings {', '.join(f'## {h}' for h in missing)}"
        )

    def test_it_knows_no_gateway_and_no_other_supplier(self) -> None:
        check_imports(self._folder())

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
                refused = refuses(self.manifest, values | {name: ""})
                assert refused, f"{self.manifest.settings.__name__}.{name}: give it Field(min_length=1)"

    def _settings(self) -> dict[str, Any]:
        given: Mapping[str, Any] = self.manifest.sandbox_settings
        return {"provider": self.manifest.name, "base_url": "http://127.0.0.1:1", **given}

    def _folder(self) -> Path:
        return Path(inspect.getfile(self.manifest.provider)).parent
