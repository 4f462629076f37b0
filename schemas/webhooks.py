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
EndpointUrl = Annotated[
    str,
    Meta(
        max_length=2048,
        description="An https URL at a public address, without user, password or fragment.",
        examples=["https://shop.example.com/esim-events"],
        extra_json_schema={
            "pattern": r"^https://([a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?\.){1,3}(com|net|org)(/[A-Za-z0-9._~-]{0,40}){0,5}$"
        },
    ),
]
EndpointEvents = Annotated[
    list[NoticeType], Meta(max_length=20, description="Which events are sent; none named means all.")
]
Description = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00]*$")]


class NewEndpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where events are to be sent, and which."""

    url: EndpointUrl
    events: Annotated[EndpointEvents, example(["order.fulfilled"])] = []
    description: Description = ""


class EndpointChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays. A disabled endpoint is sent nothing."""

    url: EndpointUrl | UnsetType = UNSET
    events: EndpointEvents | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    status: Annotated[EndpointStatus | UnsetType, example("enabled")] = UNSET


class Endpoint(msgspec.Struct, frozen=True):
    """An endpoint. ``old_secret_until``: until then each event is signed with the secret before, too."""

    id: Annotated[str, example("we_5b1e0c9a7d3f")]
    url: Annotated[str, example("https://shop.example.com/esim-events")]
    events: Annotated[list[str], example(["order.fulfilled"])]
    description: Annotated[str, example("")]
    status: Annotated[EndpointStatus, example("enabled")]
    old_secret_until: datetime | None
    created_at: datetime


class EndpointWithSecret(Endpoint, frozen=True, kw_only=True):
    """An endpoint with its signing secret, which is shown this once."""

    secret: Annotated[str, Meta(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])]


class EndpointList(msgspec.Struct, frozen=True):
    """The endpoints of a storefront in this mode, the oldest first."""

    data: list[Endpoint]


class DeliveryAttempt(msgspec.Struct, frozen=True):
    """One try. ``error`` is a word for why no good answer came; null where ``http_status`` says it all."""

    at: datetime
    http_status: Annotated[int | None, example(500)]
    error: str | None
    ms: Annotated[int, example(41)]


class Delivery(msgspec.Struct, frozen=True):
    """An event on its way to an endpoint. ``event_id`` is its ``webhook-id``, the same in every try and replay."""

    id: Annotated[str, example("whd_0c41d7")]
    event_id: Annotated[str, example("evt_77aa01")]
    event_type: Annotated[str, example("order.fulfilled")]
    status: Annotated[DeliveryStatus, example("pending")]
    attempts: list[DeliveryAttempt]
    next_attempt_at: Annotated[datetime | None, example("2026-11-20T10:00:05Z")]
    created_at: datetime


class WebhookTaken(msgspec.Struct, frozen=True):
    """A supplier's webhook was verified and stored."""

    received: Annotated[bool, example(True)]
