"""Alerts: what stands and what stood, the rules that raise them, the channels that they go to, with a test of each."""

from __future__ import annotations

from typing import Any, Literal, cast

from aiohttp import web

from gateway.alerts import alert_rows as stored
from gateway.alerts import alerts
from gateway.alerts import channels as alert_channels
from gateway.alerts.alert_kinds import KINDS
from gateway.alerts.alert_tables import ALERTS
from gateway.console.forms import Form, form_data, query_form
from gateway.console.pages import (
    Csv,
    Notice,
    Pages,
    View,
    deps_of,
    invalid,
    next_page,
    own_address,
    page_request_of,
    see_other,
    visitor,
)
from gateway.console.saved_filters import with_saved_filters
from gateway.kit.problem import Problem
from gateway.kit.sheet import sheet_of
from gateway.prices.supplier_figures import capabilities
from providers.kit.places import is_country
from schemas.api_alerts import (
    Alert,
    AlertChannelRequest,
    AlertChannelSecret,
    AlertKind,
    AlertRule,
    AlertRuleRequest,
    ChannelKind,
)

pages = Pages()
_LIST = "/console/alerts"
_RULES, _CHANNELS = _LIST + "/rules", _LIST + "/channels"
_PAGE = 50
_WAYS = (("any", "either way"), ("up", "up"), ("down", "down"))
_ABOUTS = (("offer", "of an offer"), ("plan", "of a plan: the cheapest of all suppliers"))
_CHANNEL_KINDS = (("email", "e-mail"), ("webhook", "webhook"), ("slack", "Slack"), ("telegram", "Telegram"))
_STATES = (("standing", "standing"), ("cleared", "over"))


@pages("GET", _LIST, nav="Alerts")
async def overview(request: web.Request) -> View:
    """What stands now, the channels, the rules."""
    return await _overview(request)


@pages("GET", _LIST + "/history", nav="Alerts")
@with_saved_filters
async def history(request: web.Request) -> View:
    """Every alert that there was, the newest first."""
    form = query_form(request)
    state = form.choice("state", [value for value, _ in _STATES], required=False)
    kind, supplier = form.choice("kind", KINDS, required=False), form.text("supplier", most=40)
    found = await stored.newest(
        deps_of(request).pool,
        page_request_of(request, _PAGE, stored.SORTS),
        state=cast('Literal["standing", "cleared"]', state) if state else None,
        kind=kind or None,
        supplier=supplier or None,
    )
    context = {
        "rows": [(alert, own_address(alert.link, _LIST)) for alert in found.data],
        "next": next_page(request, found),
        "states": _STATES,
        "kinds": [(name, kind.label) for name, kind in KINDS.items()],
        "accounts": sorted(deps_of(request).accounts),
        "wanted": {"state": state, "kind": kind, "supplier": supplier},
    }
    return View("alert_history.html", context, title="Alert history", csv=_csv("alert-history", found.data))


@pages("GET", _RULES + "/new", role="admin", nav="Alerts")
async def new_rule(request: web.Request) -> View:
    """The form for a rule."""
    return await _rule(request, None)


@pages("POST", _RULES, role="admin", nav="Alerts")
async def add_rule(request: web.Request) -> View | web.Response:
    """New rule."""
    form = await form_data(request)
    wanted = _rule_of(form)
    if wanted is not None:
        made = await alerts.add_rule(deps_of(request).pool, wanted, visitor(request))
        if not isinstance(made, Problem):
            return see_other(request, _LIST, message=f"The rule “{made.name}” is in force within a minute.")
        _wrong(form, made)
    return invalid(await _rule(request, None, form), form)


@pages("GET", _RULES + "/{id}", nav="Alerts")
async def rule(request: web.Request) -> View:
    """One rule, to be changed by admins."""
    return await _rule(request, await _known_rule(request))


@pages("POST", _RULES + "/{id}", role="admin", nav="Alerts")
async def change_rule(request: web.Request) -> View | web.Response:
    """Change a rule."""
    before, form = await _known_rule(request), await form_data(request)
    wanted = _rule_of(form)
    if wanted is not None:
        found = await alerts.change_rule(deps_of(request).pool, before.id, wanted, visitor(request))
        if not isinstance(found, Problem):
            return see_other(request, _LIST, message=f"The rule “{found.name}” is changed.")
        _wrong(form, found)
    return invalid(await _rule(request, before, form), form)


@pages("POST", _RULES + "/{id}/switch", role="admin", nav="Alerts")
async def switch_rule(request: web.Request) -> web.Response:
    """Switch a rule on or off."""
    enabled = (await form_data(request)).ticked("enabled")
    rule_id = request.match_info["id"]
    problem = await alerts.enable_rule(deps_of(request).pool, rule_id, visitor(request), enabled=enabled)
    return _done(request, problem, f"The rule is switched {'on' if enabled else 'off'}.")


@pages("POST", _RULES + "/{id}/delete", role="admin", nav="Alerts")
async def delete_rule(request: web.Request) -> web.Response:
    """Delete a rule."""
    problem = await alerts.remove_rule(deps_of(request).pool, request.match_info["id"], visitor(request))
    return _done(request, problem, "The rule is deleted.")


@pages("POST", _CHANNELS, role="admin", nav="Alerts")
async def add_channel(request: web.Request) -> View | web.Response:
    """A new channel; a webhook's secret is shown once."""
    form = await form_data(request)
    name = form.text("name", required=True, most=100)
    kind = form.choice("kind", [value for value, _ in _CHANNEL_KINDS])
    url, token = form.text("url", most=2048), form.text("token", most=200)
    recipients = [
        address for address in form.text("recipients", most=4000).replace(",", " ").replace(";", " ").split() if address
    ]
    if form:
        wanted = AlertChannelRequest(
            name=name,
            kind=cast("ChannelKind", kind),
            recipients=recipients if kind in {"email", "telegram"} else [],
            url=url or None if kind in {"webhook", "slack"} else None,
            token=token or None if kind == "telegram" else None,
        )
        made = await alert_channels.create(deps_of(request), wanted, visitor(request))
        if not isinstance(made, Problem):
            if made.secret is None:
                return see_other(request, _LIST, message=f"“{made.name}” is created. Test it.")
            return View("alert_secret.html", {"channel": made}, title=f"Secret of {made.name}")
        _wrong(form, made)
    return invalid(await _overview(request), form)


@pages("GET", _CHANNELS + "/{id}", nav="Alerts")
async def channel(request: web.Request) -> View:
    """One channel with what was sent to it."""
    return await _channel(request)


async def _channel(request: web.Request) -> View:
    pool, channel_id = deps_of(request).pool, request.match_info["id"]
    found = next((row for row in await alert_channels.all_channels(pool) if row.id == channel_id), None)
    if found is None:
        raise web.HTTPNotFound
    messages = await alert_channels.messages(pool, channel_id, _PAGE)
    rows = [
        (message.created_at, message.status, message.raised, message.cleared, len(message.attempts), message.next_at)
        for message in messages
    ]
    sheet = Csv("alert-messages", ("made", "state", "raised", "over", "tries", "next try"), rows)
    return View(
        "alert_channel.html",
        {"channel": found, "messages": messages, "kind": dict(_CHANNEL_KINDS)[found.kind]},
        title=found.name,
        csv=sheet,
    )


@pages("POST", _CHANNELS + "/{id}/test", role="operator", nav="Alerts")
async def test_channel(request: web.Request) -> web.Response:
    """Send a test now, and tell whether it arrived."""
    result = await alert_channels.test(deps_of(request), request.match_info["id"], visitor(request))
    if isinstance(result, Problem):
        raise web.HTTPNotFound
    outcome = "The test was delivered" if result.arrived else "The test was not delivered"
    return see_other(
        request, f"{_CHANNELS}/{request.match_info['id']}", message=f"{outcome}: {result.said} ({result.ms} ms)."
    )


@pages("POST", _CHANNELS + "/{id}/secret", role="admin", nav="Alerts")
async def set_channel_secret(request: web.Request) -> View | web.Response:
    """Set a Slack URL or a bot's token; a webhook's new secret is shown once."""
    form, channel_id = await form_data(request), request.match_info["id"]
    sent = AlertChannelSecret(url=form.text("url", most=2048) or None, token=form.text("token", most=200) or None)
    made = await alert_channels.set_secret(deps_of(request), channel_id, sent, visitor(request))
    if isinstance(made, Problem):
        if made.code == "not_found":
            raise web.HTTPNotFound
        _wrong(form, made)
        return invalid(await _channel(request), form)
    if made.secret is None:
        return see_other(request, f"{_CHANNELS}/{channel_id}", message="The secret is stored. Test the channel.")
    return View("alert_secret.html", {"channel": made}, title=f"Secret of {made.name}")


@pages("POST", _CHANNELS + "/{id}/switch", role="admin", nav="Alerts")
async def switch_channel(request: web.Request) -> web.Response:
    """Switch a channel on or off."""
    enabled = (await form_data(request)).ticked("enabled")
    channel_id = request.match_info["id"]
    problem = await alert_channels.enable(deps_of(request).pool, channel_id, visitor(request), enabled=enabled)
    return _done(request, problem, f"The channel is switched {'on' if enabled else 'off'}.")


@pages("POST", _CHANNELS + "/{id}/delete", role="admin", nav="Alerts")
async def delete_channel(request: web.Request) -> web.Response:
    """Delete a channel with what waits for it."""
    problem = await alert_channels.remove(deps_of(request).pool, request.match_info["id"], visitor(request))
    return _done(request, problem, "The channel is deleted.")


_WORDS = (("open warning", "open warnings"), ("open alert", "open alerts"))


@pages.notice
async def notices(request: web.Request) -> list[Notice]:
    """Alerts that stand, and channels that fail."""
    pool = deps_of(request).pool
    counts = await stored.counts(pool)
    found = [
        Notice("bad" if level == "bad" else "warn", _WORDS[level == "bad"][count > 1], _LIST, count)
        for level, count in counts.items()
    ]
    found += [
        Notice("bad", f"alerts are not delivered to {channel.name}: {channel.last_error}", f"{_CHANNELS}/{channel.id}")
        for channel in await alert_channels.all_channels(pool)
        if channel.enabled and channel.failing_since is not None
    ]
    return found


async def _overview(request: web.Request) -> View:
    pool = deps_of(request).pool
    found = await stored.newest(pool, page_request_of(request, _PAGE, stored.SORTS), state="standing")
    channels = await alert_channels.all_channels(pool)
    context = {
        "rows": [(alert, own_address(alert.link, _LIST)) for alert in found.data],
        "next": next_page(request, found),
        "rules": [(rule, _words(rule)) for rule in await alerts.all_rules(pool)],
        "channels": channels,
        "names": {channel.id: channel.name for channel in channels},
        "evaluated_at": await stored.evaluated_at(pool),
        "smtp": bool(deps_of(request).settings.smtp.host),
        "channel_kinds": _CHANNEL_KINDS,
    }
    return View("alerts.html", context, title="Alerts", csv=_csv("alerts", found.data))


async def _rule(request: web.Request, rule: AlertRule | None, typed: Form | None = None) -> View:
    ticked = rule.channels if rule is not None else []
    channels = await alert_channels.all_channels(deps_of(request).pool)
    context = {
        "rule": rule,
        "address": _RULES if rule is None else f"{_RULES}/{rule.id}",
        "kinds": [(name, f"{kind.label} ({kind.unit or 'no threshold'})") for name, kind in KINDS.items()],
        "ways": _WAYS,
        "abouts": _ABOUTS,
        "accounts": sorted(capabilities(deps_of(request).accounts)),
        "channels": channels,
        "chosen": ticked if typed is None else typed.all("channel"),
    }
    return View("alert_rule.html", context, title="New rule" if rule is None else rule.name)


async def _known_rule(request: web.Request) -> AlertRule:
    found = await alerts.one_rule(deps_of(request).pool, request.match_info["id"])
    if found is None:
        raise web.HTTPNotFound
    return found


def _rule_of(form: Form) -> AlertRuleRequest | None:
    """The rule as it was typed, None when something of it cannot be read."""
    name, kind = form.text("name", required=True, most=100), form.choice("kind", KINDS)
    threshold = form.decimal("threshold", least=0, most=10**9 - 1)
    way = form.choice("direction", [value for value, _ in _WAYS], required=False) or "any"
    about = form.choice("about", [value for value, _ in _ABOUTS], required=False) or "offer"
    country = form.text("country", most=60).upper()
    if country and not is_country(country):
        form.wrong("country", "is not an ISO 3166-1 alpha-2 code")
    if not form:
        return None
    return AlertRuleRequest(
        name=name,
        kind=cast("AlertKind", kind),
        threshold=None if threshold is None else f"{threshold:f}",
        direction=cast("Any", way),
        about=cast("Any", about),
        supplier=form.text("supplier", most=40) or None,
        country=country or None,
        channels=form.all("channel"),
        enabled=form.ticked("enabled"),
    )


def _words(rule: AlertRule) -> str:
    """What a rule tells of, in words; its country stands behind them."""
    about = dict(_ABOUTS)[rule.about].partition(":")[0]
    return KINDS[rule.kind].says(rule.threshold, way=dict(_WAYS)[rule.direction], about=about)


def _wrong(form: Form, problem: Problem) -> None:
    for pointer, why in problem.errors or (("/", problem.detail),):
        form.wrong(pointer.strip("/"), why)


def _done(request: web.Request, problem: Problem | None, message: str) -> web.Response:
    if problem is not None:
        raise web.HTTPNotFound
    return see_other(request, _LIST, message=message)


def _csv(name: str, rows: list[Alert]) -> Csv:
    return Csv(name, *sheet_of(ALERTS, rows))
