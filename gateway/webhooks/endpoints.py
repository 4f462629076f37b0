"""A storefront's webhook endpoints: made with a secret of their own, rotated, tested."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from gateway.kit.pool import Pool
from gateway.kit.sealing import Seal
from gateway.webhooks import endpoint_rows
from gateway.webhooks.endpoint_rows import Owner
from gateway.webhooks.event_rows import NewEvent
from gateway.webhooks.notify import new_event_id
from schemas.events import EndpointTestData
from schemas.notice import TEST, Notice
from schemas.webhooks import Delivery, Endpoint, EndpointWithSecret

MOST = 20
OVERLAP = timedelta(hours=24)
_SECRET_BYTES = 32


async def create(
    pool: Pool, seal: Seal, owner: Owner, *, url: str, events: Sequence[str], description: str
) -> EndpointWithSecret | None:
    """A new endpoint with its secret; None when there are ``MOST`` already. The URL was checked by the caller."""
    secret = new_secret()
    made = await endpoint_rows.add(
        pool,
        owner,
        url=url,
        events=tuple(dict.fromkeys(events)),
        description=description,
        secret=seal.seal(secret),
        most=MOST,
    )
    return None if made is None else _with(made, secret)


async def rotate(pool: Pool, seal: Seal, owner: Owner, endpoint_id: str) -> EndpointWithSecret | None:
    """A new secret; the one before it signs too for a day, and the one before that no longer."""
    secret = new_secret()
    made = await endpoint_rows.rotate(pool, owner, endpoint_id, seal.seal(secret), OVERLAP)
    return None if made is None else _with(made, secret)


async def test(pool: Pool, seal: Seal, owner: Owner, endpoint: Endpoint) -> Delivery:
    """Have a test event sent to an endpoint of the owner's."""
    now = datetime.now(UTC)
    event_id = new_event_id()
    body = msgspec.json.encode(Notice(TEST, event_id, now, EndpointTestData(endpoint.id)))
    event = NewEvent(
        id=event_id,
        storefront_id=owner.storefront_id,
        mode=owner.mode,
        type=TEST,
        order_id=None,
        body=seal.seal(body),
        at=now,
    )
    return await endpoint_rows.send_one(pool, event, endpoint.id)


def new_secret() -> str:
    """What a webhook is signed with, as Standard Webhooks write it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _with(endpoint: Endpoint, secret: str) -> EndpointWithSecret:
    return EndpointWithSecret(**{name: getattr(endpoint, name) for name in endpoint.__struct_fields__}, secret=secret)
