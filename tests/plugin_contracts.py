"""Contracts of import-linter in which one line stands for all plugins of ``providers``."""

from __future__ import annotations

from typing import Any

from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.independence import IndependenceContract

from providers.loader import plugin_folders

PLUGINS_LINE = "plugins of providers.loader"


def _filled(options: dict[str, Any]) -> dict[str, Any]:
    """The options with the plugins in the place of their line."""
    plugins = [f"providers.{name}" for name in plugin_folders()]
    return {
        name: [each for entry in value for each in (plugins if entry == PLUGINS_LINE else [entry])]
        if isinstance(value, list)
        else value
        for name, value in options.items()
    }


class PluginsApart(IndependenceContract):
    """Modules that know nothing of each other."""

    type_name = "plugins_apart"

    def __init__(self, name: str, session_options: dict[str, Any], contract_options: dict[str, Any]) -> None:
        super().__init__(name, session_options, _filled(contract_options))


class PluginsForbidden(ForbiddenContract):
    """Modules that may not be imported."""

    type_name = "plugins_forbidden"

    def __init__(self, name: str, session_options: dict[str, Any], contract_options: dict[str, Any]) -> None:
        super().__init__(name, session_options, _filled(contract_options))
