"""A client of the eSIM gateway, sync and async, for those who build a storefront."""

from __future__ import annotations

from . import bodies, models, problems
from .errors import ApiError, GatewayError, NoAnswerError, WebhookVerificationError
from .events import UnknownEvent
from .gateway import AsyncGateway, Gateway
from .lists import AsyncListing, Listing
from .retries import Retries
from .webhooks import read_webhook

__all__ = [
    "ApiError",
    "AsyncGateway",
    "AsyncListing",
    "Gateway",
    "GatewayError",
    "Listing",
    "NoAnswerError",
    "Retries",
    "UnknownEvent",
    "WebhookVerificationError",
    "bodies",
    "models",
    "problems",
    "read_webhook",
]
__version__ = "0.2.0"
