"""What travellers see and are sent: settings for operators, the e-mails of an order for its storefront."""

from __future__ import annotations

from aiohttp import web

from gateway.api import state
from gateway.api.changes import actor_of
from gateway.api.ordering import deps_of, refusal, storefront_of
from gateway.api.orders import ORDER_PART
from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import NoParameters
from gateway.api.problems import Refusal
from gateway.api.reading import read_body, read_query
from gateway.api.spec import Table
from gateway.kit.problem import Problem
from gateway.travellers import appearance, emails, traveller_email_rows
from gateway.travellers.traveller_email_rows import StoredEmail
from schemas.api_travellers import TravellerEmail, TravellerEmailList, TravellerSettings, TravellerSettingsPatch

routes = Table()
_PATH = "/v1/ops/storefronts/{id}/traveller-settings"
_PART = {"id": ("^[A-Za-z0-9_-]{1,60}$", "The storefront's `id`.")}


@routes(
    "GET", _PATH,
    access="ops:read", tag="travellers", answer=TravellerSettings, parts=_PART,
    parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def get_traveller_settings(request: web.Request) -> web.Response:
    """How a storefront's pages for travellers look.

    Its name, logo and colours on the page that every delivered eSIM has, the top-up button, and which e-mails
    travellers get.
    """
    read_query(request, NoParameters)
    found = await appearance.find(pool_of(request), request.match_info["id"])
    if found is None:
        raise Refusal("not_found", "there is no such storefront")
    return json_answer(found)


@routes(
    "PATCH", _PATH,
    access="ops", tag="travellers", answer=TravellerSettings, parts=_PART,
    parameters=NoParameters, bodies=(TravellerSettingsPatch,),
    problems=("not_found", "conflict", "invalid", "unavailable"),
)  # fmt: skip
async def change_traveller_settings(request: web.Request) -> web.Response:
    """Change how a storefront's pages for travellers look.

    What is left out stays as it is, an empty text takes it away. Pages show it from the next time they are loaded.
    409 for a logo that is no picture, a link that is not https, and for e-mails without a mail server in the settings,
    each pointed at. What was delivered before e-mails are switched on is not sent.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, TravellerSettingsPatch)
    pool, settings = pool_of(request), request.app[state.SETTINGS]
    changed = await appearance.change(pool, settings, request.match_info["id"], sent, actor_of(request))
    if isinstance(changed, Problem):
        raise refusal(changed)
    return json_answer(changed)


@routes(
    "GET", "/v1/orders/{id}/emails",
    access="storefront", tag="orders", answer=TravellerEmailList, parts=ORDER_PART,
    parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def list_order_emails(request: web.Request) -> web.Response:
    """The e-mails that were sent to an order's customer.

    Of an order that delivered an eSIM also those about its use and its top-ups. Empty where e-mails are switched off,
    which they are until an operator switches them on for you.
    """
    read_query(request, NoParameters)
    pool, order_id = pool_of(request), request.match_info["id"]
    if await traveller_email_rows.mailable(pool, order_id, *storefront_of(request)) is None:
        raise Refusal("not_found", "there is no such order")
    found = await traveller_email_rows.of_order(pool, order_id)
    return json_answer(TravellerEmailList([_shown(email) for email in found]))


@routes(
    "POST", "/v1/orders/{id}/resend-email",
    access="storefront", tag="orders", status=202, status_means="Queued.", answer=TravellerEmail,
    example={"status": "pending", "sent_at": None, "detail": None, "resent": True}, parts=ORDER_PART,
    parameters=NoParameters, problems=("not_found", "conflict", "invalid", "unavailable"),
)  # fmt: skip
async def resend_order_email(request: web.Request) -> web.Response:
    """Send an order's delivery to its customer once more.

    It goes to the order's `customer.email`. Asked for twice within a minute it is sent once. 409 `conflict`: e-mails
    are switched off, or the order has no address or no eSIM to install.
    """
    read_query(request, NoParameters)
    found = await emails.resend(deps_of(request), request.match_info["id"], actor_of(request), *storefront_of(request))
    if isinstance(found, Problem):
        raise refusal(found)
    return json_answer(_shown(found), status=202)


def _shown(email: StoredEmail) -> TravellerEmail:
    return TravellerEmail(
        id=email.id,
        order_id=email.order_id,
        kind=email.kind,
        status=email.status,
        detail=email.detail,
        resent=email.resent_by is not None,
        created_at=email.created_at,
        sent_at=email.sent_at,
    )
