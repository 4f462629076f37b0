"""A contract of import-linter: layers, one line of which stands for the domains of ``gateway.features``."""

from __future__ import annotations

from typing import Any

from importlinter.contracts.layers import LayersContract

from gateway.features import FEATURES

FEATURES_LINE = "features of gateway.features"


class FeatureLayers(LayersContract):
    """Layers from the top down; the features, which are listed bottom up, are turned round."""

    type_name = "feature_layers"

    def __init__(self, name: str, session_options: dict[str, Any], contract_options: dict[str, Any]) -> None:
        features = [feature.name for feature in reversed(FEATURES)]
        layers: list[str] = []
        for layer in contract_options["layers"]:
            layers += features if layer == FEATURES_LINE else [layer]
        super().__init__(name, session_options, {**contract_options, "layers": layers})
