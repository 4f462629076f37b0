"""Alerts for operators' programs: what stands and what stood, the rules, the channels and their tests."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from gateway.alerts import alert_rows as stored
from gateway.alerts import alerts, channels
from gateway.api.changes import actor_of
from gateway.api.ordering import deps_of
from gateway.api.paging import json_answer, pool_of
from gateway.api.parameters import NoParameters, PageParameters
from gateway.api.problems import Refusal
from gateway.api.reading import read_body, read_query, unset_to_none
from gateway.api.spec import Table
from gateway.kit.problem import Problem
from schemas.api import SupplierName
from schemas.api_alerts import (
    Alert,
    AlertChannel,
    AlertChannelMade,
    AlertChannelRequest,
    AlertChannelSecret,
    AlertKind,
    AlertRule,
    AlertRuleRequest,
    AlertTest,
)
from schemas.page import Page

routes = Table()
T = TypeVar("T")

_RULE_PART = {"id": ("^alr_[0-9a-f]{1,40}$", "The rule's `id`.")}
_CHANNEL_PART = {"id": ("^ach_[0-9a-f]{1,40}$", "The channel's `id`.")}


class AlertParameters(PageParameters, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Alerts."""

    state: (
        Annotated[Literal["standing", "cleared"], Meta(description="Only open alerts, or only resolved ones.")]
        | UnsetType
    ) = UNSET
    kind: Annotated[AlertKind, Meta(description="Only those of rules of this kind.")] | UnsetType = UNSET
    supplier: SupplierName | UnsetType = UNSET


@routes(
    "GET", "/v1/ops/alerts",
    access="ops:read", tag="alerts", answer=Page[Alert],
    parameters=AlertParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_alerts(request: web.Request) -> web.Response:
    """Alerts, the newest first.

    An alert is raised once and stays open until its cause is over. `cleared_at` is null while it is open.
    """
    sent = read_query(request, AlertParameters)
    filters = {
        "state": unset_to_none(sent.state),
        "kind": unset_to_none(sent.kind),
        "supplier": unset_to_none(sent.supplier),
    }
    return json_answer(await stored.newest(pool_of(request), sent.page, **filters))  # type: ignore[arg-type]


@routes(
    "GET", "/v1/ops/alert-rules",
    access="ops:read", tag="alerts", answer=Page[AlertRule],
    parameters=NoParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_alert_rules(request: web.Request) -> web.Response:
    """The rules of alerts, all on one page.

    A rule says what it watches and when it raises an alert. The first ones are made with the database.
    """
    read_query(request, NoParameters)
    return json_answer(Page.complete(await alerts.all_rules(pool_of(request))))


@routes(
    "POST", "/v1/ops/alert-rules",
    access="ops", tag="alerts", status=201, answer=AlertRule, parameters=NoParameters, bodies=(AlertRuleRequest,),
    problems=("conflict", "invalid", "unavailable"),
)  # fmt: skip
async def add_alert_rule(request: web.Request) -> web.Response:
    """A new rule of alerts.

    What happened before it was made does not raise it; what holds does. 409 with the field for
    one that makes no sense.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, AlertRuleRequest)
    return json_answer(_or_refuse(await alerts.add_rule(pool_of(request), sent, actor_of(request))), 201)


@routes(
    "PUT", "/v1/ops/alert-rules/{id}",
    access="ops", tag="alerts", answer=AlertRule, parts=_RULE_PART,
    parameters=NoParameters, bodies=(AlertRuleRequest,), problems=("not_found", "conflict", "invalid", "unavailable"),
)  # fmt: skip
async def change_alert_rule(request: web.Request) -> web.Response:
    """Replace an alert rule.

    Its open alerts are evaluated by the new rule within a minute.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, AlertRuleRequest)
    rule_id = request.match_info["id"]
    return json_answer(_or_refuse(await alerts.change_rule(pool_of(request), rule_id, sent, actor_of(request))))


@routes(
    "DELETE", "/v1/ops/alert-rules/{id}",
    access="ops", tag="alerts", answer=AlertRule, parts=_RULE_PART,
    parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def delete_alert_rule(request: web.Request) -> web.Response:
    """Delete an alert rule; the answer is the deleted rule.

    Its open alerts are resolved without a notification.
    """
    read_query(request, NoParameters)
    rule_id = request.match_info["id"]
    before = await alerts.one_rule(pool_of(request), rule_id)
    _or_refuse(await alerts.remove_rule(pool_of(request), rule_id, actor_of(request)))
    return json_answer(before)


@routes(
    "GET", "/v1/ops/alert-channels",
    access="ops:read", tag="alerts", answer=Page[AlertChannel],
    parameters=NoParameters, problems=("invalid", "unavailable"),
)  # fmt: skip
async def list_alert_channels(request: web.Request) -> web.Response:
    """Where alerts go, all on one page.

    E-mail addresses and webhooks, each with what became of the last message.
    """
    read_query(request, NoParameters)
    return json_answer(Page.complete(await channels.all_channels(pool_of(request))))


@routes(
    "POST", "/v1/ops/alert-channels",
    access="ops", tag="alerts", status=201, answer=AlertChannelMade, example={"last_ok_at": None},
    parameters=NoParameters, bodies=(AlertChannelRequest,), problems=("conflict", "invalid", "unavailable"),
)  # fmt: skip
async def add_alert_channel(request: web.Request) -> web.Response:
    """Create an alert channel.

    Slack and Telegram get text, a webhook `alerts.changed` with raised and resolved alerts, signed as Standard
    Webhooks; `secret` is shown only once. Failed deliveries are retried for three days.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, AlertChannelRequest)
    return json_answer(_or_refuse(await channels.create(deps_of(request), sent, actor_of(request))), 201)


@routes(
    "POST", "/v1/ops/alert-channels/{id}/secret",
    access="ops", tag="alerts", answer=AlertChannelMade, parts=_CHANNEL_PART,
    parameters=NoParameters, bodies=(AlertChannelSecret,), problems=("not_found", "conflict", "invalid", "unavailable"),
)  # fmt: skip
async def set_alert_channel_secret(request: web.Request) -> web.Response:
    """Set the secret of a channel: another Slack URL or bot token, or a new secret of a webhook.

    A webhook's `secret` is shown only once; the one before it is not used any more. 409 for e-mail, which has none.
    """
    read_query(request, NoParameters)
    sent = await read_body(request, AlertChannelSecret)
    channel_id = request.match_info["id"]
    return json_answer(_or_refuse(await channels.set_secret(deps_of(request), channel_id, sent, actor_of(request))))


@routes(
    "POST", "/v1/ops/alert-channels/{id}/test",
    access="ops", tag="alerts", answer=AlertTest, parts=_CHANNEL_PART,
    parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def test_alert_channel(request: web.Request) -> web.Response:
    """Send a test to a channel and report whether it arrived.

    The answer waits for the receiver, at most twenty seconds.
    """
    read_query(request, NoParameters)
    return json_answer(_or_refuse(await channels.test(deps_of(request), request.match_info["id"], actor_of(request))))


@routes(
    "DELETE", "/v1/ops/alert-channels/{id}",
    access="ops", tag="alerts", answer=AlertChannel, parts=_CHANNEL_PART,
    parameters=NoParameters, problems=("not_found", "invalid", "unavailable"),
)  # fmt: skip
async def delete_alert_channel(request: web.Request) -> web.Response:
    """Delete a channel and its queued messages; the answer is the deleted channel.

    A rule whose only channel it is becomes disabled.
    """
    read_query(request, NoParameters)
    channel_id = request.match_info["id"]
    before = next(
        (channel for channel in await channels.all_channels(pool_of(request)) if channel.id == channel_id), None
    )
    _or_refuse(await channels.remove(pool_of(request), channel_id, actor_of(request)))
    return json_answer(before)


def _or_refuse(found: T | Problem) -> T:
    if isinstance(found, Problem):
        errors = [(pointer, detail) for pointer, detail in found.errors]
        raise Refusal(found.code, found.detail, errors=errors) if errors else Refusal(found.code, found.detail)
    return found
