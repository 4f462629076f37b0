"""Several orders for one plan, admitted together: one idempotency key, one transaction, all of them or none.

A batch takes the ordinary way: what limits an order is asked for the sum, and the orders are written without attempts.
From then on each is bought like any other, by the process that admitted it or by a worker.
"""

from __future__ import annotations

import secrets

import msgspec

from gateway.access.key_rows import Mode
from gateway.kit.problem import Problem
from gateway.orders.admission_rows import Batch
from gateway.orders.admit import Admitted, digest_of, keyed, new_id, new_order, offered_for, one_at_a_time, place
from gateway.suppliers.deps import Deps
from schemas.order_requests import BatchForPlan, BatchForQuote


async def admit_batch(
    deps: Deps,
    storefront_id: str,
    mode: Mode,
    body: BatchForPlan | BatchForQuote,
    idempotency_key: str,
    *,
    key_id: str | None = None,
) -> Admitted | Problem:
    """As ``admit.admit``, for ``quantity`` orders; what is admitted has the batch's id.

    The price is that of an offer which suffices for all of them: its stock, our funds at its supplier, and the
    supplier's limit of the day.
    """
    request = digest_of("POST /v1/order-batches", body)
    async with one_at_a_time(storefront_id, mode, idempotency_key):
        if (known := await keyed(deps, storefront_id, mode, idempotency_key, request)) is not None:
            return known
        offered = await offered_for(deps, storefront_id, mode, body, body.quantity)
        if isinstance(offered, Problem):
            # Another process may have admitted the very same meanwhile.
            return await keyed(deps, storefront_id, mode, idempotency_key, request) or offered
        new = new_order(deps, storefront_id, mode, body, offered, key_id=key_id)
        batch = _batch_of(body.quantity, None if body.reference is msgspec.UNSET else body.reference)
        return await place(deps, new, idempotency_key, request, deps.clock(), batch)


def _batch_of(quantity: int, reference: str | None) -> Batch:
    # They are listed by their ids, so the first of them has the first reference.
    order_ids = sorted(new_id() for _ in range(quantity))
    references = [None if reference is None else f"{reference}-{n}" for n in range(1, quantity + 1)]
    return Batch(f"bat_{secrets.token_hex(12)}", order_ids, references)
