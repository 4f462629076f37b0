"""Whether a plugin's manifest agrees with its class, and an account's settings with its plugin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from providers.contract import CAPABILITY_METHODS, Manifest, PaymentProvider, Provider, SupplierSettings
from schemas.errors import ConfigurationError


def check_manifest(manifest: Manifest) -> None:
    """Hold a manifest against its class. Raises ``ConfigurationError`` naming each disagreement."""
    problems: list[str] = []
    if not manifest.name.isidentifier() or manifest.name != manifest.name.lower():
        problems.append(f"name {manifest.name!r} is not a lower-case identifier")
    settings: type[Any] = manifest.settings  # a third party's plugin may never have met a type checker
    cls: type[Any] = manifest.provider
    if not issubclass(settings, SupplierSettings):
        problems.append(f"settings {settings.__name__} does not extend SupplierSettings")
    if issubclass(cls, Provider):
        for capability, methods in CAPABILITY_METHODS.items():
            for method in methods:
                overridden = getattr(cls, method) is not getattr(Provider, method)
                declared = capability in manifest.capabilities
                if declared and not overridden:
                    problems.append(f"declares {capability.value} but {cls.__name__} does not define {method}()")
                if overridden and not declared:
                    problems.append(f"{cls.__name__} defines {method}() but {capability.value} is not declared")
    elif not issubclass(cls, PaymentProvider):
        problems.append(f"{cls.__name__} is neither a Provider nor a PaymentProvider")
    if problems:
        raise ConfigurationError(f"provider {manifest.name}: " + "; ".join(problems))


def check_settings(manifest: Manifest, name: str, values: Mapping[str, Any]) -> SupplierSettings:
    """The typed settings of one supplier account. Raises ``ConfigurationError`` naming each wrong key."""
    try:
        settings = manifest.settings.model_validate(dict(values))
    except ValidationError as error:
        lines = [f"suppliers.{name}.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ConfigurationError("; ".join(lines)) from None
    if settings.trust_absence and manifest.absence_fence is None:
        raise ConfigurationError(
            f"suppliers.{name}.trust_absence: {manifest.title} gives no fence against a late send; set it to false"
        )
    if settings.trust_absence and settings.quiescence_seconds < manifest.absence_fence_seconds:
        raise ConfigurationError(
            f"suppliers.{name}.quiescence_seconds: with trust_absence at least {manifest.absence_fence_seconds}; "
            "before that what was sent may still arrive"
        )
    return settings
