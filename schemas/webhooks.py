"""Webhooks as the public API has them: endpoints of a storefront, and what became of each delivery."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.examples import example
from schemas.notice import NoticeType

EndpointStatus = Literal["enabled", "disabled"]
DeliveryStatus = Literal["pending", "delivered", "failed"]
# The pattern is what everybody may send; an operator can allow private networks beyond it.
_HOST = r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_PORT = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
EndpointUrl = Annotated[
    str,
    Meta(
        max_length=2048,
        description="An https URL at a public address, without user, password or fragment.",
        examples=["https://shop.example.com/esim-events"],
        extra_json_schema={"pattern": f'^https://{_HOST}(:{_PORT})?([/?][!-"$-~]*)?$'},
    ),
]
EndpointEvents = Annotated[
    list[NoticeType], Meta(max_length=20, description="Which events are sent; none named means all.")
]
Description = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00]*\Z")]


class NewEndpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where events are to be sent, and which.

    Attributes:
        url: Where events are sent: an https URL at a public address, without user, password or fragment.
        events: Which events are sent; all when none is named.
        description: What the endpoint is for.
    """

    url: EndpointUrl
    events: Annotated[EndpointEvents, example(["order.fulfilled"])] = []
    description: Description = ""


class EndpointChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays. A disabled endpoint is sent nothing.

    Attributes:
        url: Where events are sent: an https URL at a public address, without user, password or fragment.
        events: Which events are sent; all when none is named.
        description: What the endpoint is for.
        status: A disabled endpoint is sent nothing.
    """

    url: EndpointUrl | UnsetType = UNSET
    events: EndpointEvents | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    status: Annotated[EndpointStatus | UnsetType, example("enabled")] = UNSET


class Endpoint(msgspec.Struct, frozen=True):
    """An endpoint.

    Attributes:
        id: The endpoint's id.
        url: Where events are sent.
        events: Which events are sent; all when none is named.
        description: What the endpoint is for.
        status: A disabled endpoint is sent nothing.
        old_secret_until: Until then each event is signed with the secret before, too; null when only one is in force.
        created_at: When the endpoint was created.
    """

    id: Annotated[str, example("we_5b1e0c9a7d3f")]
    url: Annotated[str, example("https://shop.example.com/esim-events")]
    events: Annotated[list[str], example(["order.fulfilled"])]
    description: Annotated[str, example("")]
    status: Annotated[EndpointStatus, example("enabled")]
    old_secret_until: datetime | None
    created_at: datetime


class EndpointWithSecret(Endpoint, frozen=True, kw_only=True):
    """An endpoint with its signing secret, which is shown this once.

    Attributes:
        secret: What events are signed with, by Standard Webhooks. It is shown this once.
    """

    secret: Annotated[str, Meta(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])]


class EndpointList(msgspec.Struct, frozen=True):
    """The endpoints of a storefront in this mode, the oldest first.

    Attributes:
        data: The endpoints.
    """

    data: list[Endpoint]


class DeliveryAttempt(msgspec.Struct, frozen=True):
    """One try.

    Attributes:
        at: When it was sent.
        http_status: The status of the answer; null when none came.
        error: A word for why no good answer came; null where `http_status` says it all.
        ms: How long it took, in milliseconds.
    """

    at: datetime
    http_status: Annotated[int | None, example(500)]
    error: str | None
    ms: Annotated[int, example(41)]


class Delivery(msgspec.Struct, frozen=True):
    """An event on its way to an endpoint.

    Attributes:
        id: The delivery's id.
        event_id: The event's id: the `webhook-id` of every try and replay.
        event_type: The type of the event.
        status: Whether the event arrived, is still tried, or was given up.
        attempts: Every try, the oldest first.
        next_attempt_at: When it is tried next; null when it is not.
        created_at: When the delivery was created.
    """

    id: Annotated[str, example("whd_0c41d7")]
    event_id: Annotated[str, example("evt_77aa01")]
    event_type: Annotated[str, example("order.fulfilled")]
    status: Annotated[DeliveryStatus, example("pending")]
    attempts: list[DeliveryAttempt]
    next_attempt_at: Annotated[datetime | None, example("2026-11-20T10:00:05Z")]
    created_at: datetime


class WebhookTaken(msgspec.Struct, frozen=True):
    """A supplier's webhook was verified and stored.

    Attributes:
        received: Always true.
    """

    received: Annotated[bool, example(True)]
