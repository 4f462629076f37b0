"""Every setting in force, where it comes from and what it means. A secret is never among the values.

A setting whose type says that it is a secret, and one of a supplier whose plugin is not known, tells only whether it
is set.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from gateway.kit.settings import ENV_CONFIG, Settings
from gateway.operations.setting_meanings import MEANINGS, OF_EVERY_SUPPLIER
from providers.checks import check_settings
from providers.contract import Manifest, SupplierSettings
from providers.loader import load_manifests
from schemas.api_suppliers import Setting
from schemas.errors import ConfigurationError

Source: TypeAlias = Literal["default", "file", "environment", "start"]
SUPPLIERS = "suppliers"
_PREFIX, _BETWEEN = "GATEWAY_", "__"


def settings_in_force(
    settings: Settings,
    environ: Mapping[str, str] | None = None,
    manifests: Mapping[str, Manifest] | None = None,
) -> list[Setting]:
    """Every setting in the order of the sections, those of suppliers last, by name.

    ``environ`` is the environment that the process was started with. A file that cannot be read any more counts as
    empty: what came from it then seems to come from the start command.
    """
    sources = _Sources(settings, os.environ if environ is None else environ)
    found = [_setting(path, value, field, sources) for path, value, field in _leaves(settings) if path[0] != SUPPLIERS]
    known = load_manifests() if manifests is None else manifests
    for name, values in sorted(settings.suppliers.items()):
        found += _of_supplier(name, values, known, sources)
    return found


class _Sources:
    """Where a setting comes from: the environment before the file before what is shipped."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._names = {name.upper() for name in environ}
        self._file = _file(environ.get(ENV_CONFIG))
        self._shipped = tomllib.loads(resources.files("config").joinpath("gateway.toml").read_text("utf-8"))
        self._settings = settings

    def of(self, path: tuple[str, ...], *, is_default: bool) -> Source:
        # A whole section may stand in one variable, as JSON.
        names = {_PREFIX + _BETWEEN.join(path[: n + 1]).upper() for n in range(len(path))}
        if names & self._names:
            return "environment"
        if _holds(self._file, path):
            return "file"
        return "default" if is_default or (_holds(self._shipped, path) and self._as_shipped(path)) else "start"

    def _as_shipped(self, path: tuple[str, ...]) -> bool:
        value: Any = self._settings
        shipped: Any = self._shipped
        for part in path:
            value = getattr(value, part, None)
            shipped = shipped[part]
        return str(value) == str(shipped) or (not value and not shipped)


def _file(path: str | None) -> dict[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _holds(table: Any, path: tuple[str, ...]) -> bool:
    for part in path:
        if not isinstance(table, dict) or part not in table:
            return False
        table = table[part]
    return True


def _leaves(model: BaseModel, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, FieldInfo]]:
    """Every setting below a section, by its path; a section in it gives its own."""
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _leaves(value, (*above, name))
        else:
            yield (*above, name), value, field


def _of_supplier(
    name: str, values: Mapping[str, Any], manifests: Mapping[str, Manifest], sources: _Sources
) -> Iterator[Setting]:
    manifest = manifests.get(str(values.get("provider")))
    try:
        checked: SupplierSettings | None = check_settings(manifest, name, values) if manifest is not None else None
    except ConfigurationError:
        checked = None
    if checked is None:
        for key in sorted(values):
            path = (SUPPLIERS, name, key)
            source = sources.of(path, is_default=False)
            yield Setting(".".join(path), None, True, bool(values[key]), source, "Of a supplier that cannot be read.")
        return
    for below, value, field in _leaves(checked):
        yield _setting((SUPPLIERS, name, *below), value, field, sources)


def _setting(path: tuple[str, ...], value: Any, field: FieldInfo, sources: _Sources) -> Setting:
    secret = _is_secret(field.annotation)
    default = field.get_default(call_default_factory=True)
    return Setting(
        name=".".join(path),
        value=None if secret else _text(value),
        secret=secret,
        is_set=value not in (None, "", ()) if secret else value is not None,
        source=sources.of(path, is_default=value == default),
        meaning=_meaning(path, field),
    )


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(part) for part in get_args(annotation))


def _meaning(path: tuple[str, ...], field: FieldInfo) -> str:
    if path[0] != SUPPLIERS:
        return field.description or MEANINGS.get(".".join(path), "")
    if path[2] == "paths":
        return "Where this call stands below base_url."
    return field.description or OF_EVERY_SUPPLIER.get(".".join(path[2:]), "A setting of this supplier's plugin.")


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list | set | frozenset):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(sorted(map(str, value))) or "none"
    text = str(value)
    return _without_login(text) if "://" in text else text


def _without_login(address: str) -> str:
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host, query="", fragment=""))
