"""The console's own files."""

from __future__ import annotations

from gateway.kit.static_files import StaticFiles

_FILES = StaticFiles("gateway.console", "/console/static/")
PREFIX = _FILES.prefix
address, serve, size = _FILES.address, _FILES.serve, _FILES.size
