"""``python -m storefront``: the shop on the port of its own address, set up by SHOP_… variables (see README.md)."""

from __future__ import annotations

import logging
import os
from urllib.parse import urlsplit

from aiohttp import web

from .app import Settings, make_app

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log every request to the gateway
    settings = Settings.of(os.environ)
    host = os.environ.get("SHOP_HOST", "127.0.0.1")
    port = int(os.environ.get("SHOP_PORT") or urlsplit(settings.url).port or 8082)
    # Addresses of customers are secrets, so no access log names them.
    web.run_app(make_app(settings), host=host, port=port, access_log=None)
