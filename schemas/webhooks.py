"""Webhooks as the public API has them: endpoints of a storefront, and what became of each delivery."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

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
    events: EndpointEvents = []
    description: Description = ""


class EndpointChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays. A disabled endpoint is sent nothing."""

    url: EndpointUrl | UnsetType = UNSET
    events: EndpointEvents | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    status: EndpointStatus | UnsetType = UNSET


class Endpoint(msgspec.Struct, frozen=True):
    """An endpoint. ``old_secret_until``: until then each event is signed with the secret before, too."""

    id: str
    url: str
    events: list[str]
    description: str
    status: EndpointStatus
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
    http_status: int | None
    error: str | None
    ms: int


class Delivery(msgspec.Struct, frozen=True):
    """An event on its way to an endpoint. ``event_id`` is its ``webhook-id``, the same in every try and replay."""

    id: str
    event_id: str
    event_type: str
    status: DeliveryStatus
    attempts: list[DeliveryAttempt]
    next_attempt_at: datetime | None
    created_at: datetime


class WebhookTaken(msgspec.Struct, frozen=True):
    """A supplier's webhook was verified and stored."""

    received: bool
