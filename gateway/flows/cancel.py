"""Cancelling an order: asked for once, sent once, refunded when the supplier says so."""

from __future__ import annotations

from gateway.flows.deps import Deps
from gateway.flows.problem import Problem
from gateway.store.keys import Mode


async def request_cancel(deps: Deps, storefront_id: str, mode: Mode, order_id: str) -> None | Problem:
    """Note that an order is to be cancelled; asking again changes nothing. None when it is noted or done.

    Problems: not_found, not_cancellable (409), not_supported (501). ``flows.advance`` does the rest.
    """
    raise NotImplementedError
