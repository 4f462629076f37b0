"""What each rule of alerts finds now: by the very figures that the console shows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from urllib.parse import quote, urlencode

import structlog

from gateway.alerts import alert_figure_rows
from gateway.alerts.alert_figure_rows import Attention
from gateway.alerts.alert_rows import Marks
from gateway.alerts.alert_rules import (
    SHORTEST_HISTORY,
    ActiveAlert,
    Evaluation,
    Finding,
    PriceMove,
    Rule,
    evaluate_moves,
)
from gateway.checkouts import checkout_view_rows
from gateway.checkouts.checkout_rules import WORDS
from gateway.kit.pages import PageRequest
from gateway.kit.pool import DATABASE_DOWN, Connection
from gateway.ledger import supplier_statement_rows
from gateway.prices import supplier_figures
from gateway.prices.margins_thin import ThinMargins, thin_margins
from gateway.pricing.price_rules import NoRate, Rates
from gateway.suppliers.deps import Deps
from schemas.api_alerts import AlertKind
from schemas.api_suppliers import SupplierFigures
from schemas.money import Money

log = structlog.get_logger(__name__)

HOURS = 1  # how far back a supplier's orders are looked at
MOST_SUPPLIERS = 1_000
MOST_CASES = 1_000
_NAME = 120


@dataclass
class Gathered:
    """The figures of one evaluation, fetched when a rule first asks for them."""

    deps: Deps
    now: datetime
    active: Sequence[ActiveAlert]
    rates: Rates
    lists: list[alert_figure_rows.OtherList] | None = None
    guard: dict[str, alert_figure_rows.GuardFigures] = field(default_factory=dict)
    _suppliers: list[SupplierFigures] | None = None
    _margins: dict[Decimal, list[ThinMargins] | None] = field(default_factory=dict)

    async def suppliers(self) -> list[SupplierFigures]:
        """Every configured supplier, as its page shows it."""
        if self._suppliers is None:
            found = await supplier_figures.figures(self.deps, PageRequest(MOST_SUPPLIERS), hours=HOURS)
            self._suppliers = [figures for figures in found.data if figures.supplier.configured]
        return self._suppliers

    async def margins(self, percent: Decimal) -> list[ThinMargins] | None:
        """What earns less than so many percent of its cost; None where this machine has no catalogue."""
        if percent not in self._margins:
            self._margins[percent] = await thin_margins(self.deps, percent, self.now)
        return self._margins[percent]


async def evaluate_prices(
    connection: Connection, gathered: Gathered, rules: Sequence[Rule], since: Marks, to: Marks | None
) -> tuple[list[Evaluation], Marks]:
    """What rules on moved prices find, and how far the changes were looked at then.

    ``to`` None: the catalogue is being written, and the next look will tell.
    """
    lasts = timedelta(hours=gathered.deps.settings.alerts.price_hours)
    offers = [rule for rule in rules if rule.about == "offer"]
    plans = [rule for rule in rules if rule.about == "plan"]
    moves: list[alert_figure_rows.Moved] = []
    cheapest: list[alert_figure_rows.CheapestMoved] = []
    reached = to or since
    if to is not None and to != since:
        worth = gathered.rates.worth
        if offers:
            least = min((rule.threshold for rule in offers if rule.threshold is not None), default=Decimal(0))
            ids = {rule.id for rule in offers}
            also = [alert.subject for alert in gathered.active if alert.rule_id in ids]
            moves = await alert_figure_rows.moved(connection, worth, since, to, least, also)
            if len(moves) == alert_figure_rows.MOST:
                reached = Marks(moves[-1].id, since.offer_event)
        if plans:
            cheapest = await alert_figure_rows.cheapest_moved(connection, worth, since, reached)
    base = gathered.rates.base
    evaluations = [
        evaluate_moves(rule, _moves(rule, moves, base), gathered.active, gathered.now, lasts) for rule in offers
    ]
    evaluations += [
        evaluate_moves(rule, _plan_moves(rule, cheapest, base), gathered.active, gathered.now, lasts) for rule in plans
    ]
    return evaluations, reached


async def evaluate_rule(gathered: Gathered, rule: Rule) -> Evaluation:
    """What a rule on anything but moved prices and health finds."""
    return await EVALUATIONS[rule.kind](gathered, rule)


async def evaluate_or_report(gathered: Gathered, rule: Rule) -> Evaluation:
    """``evaluate_rule``, or why it could not be done: what stands of that rule then stays."""
    try:
        return await evaluate_rule(gathered, rule)
    except DATABASE_DOWN:
        raise
    except Exception as error:
        log.exception("alert_rule_evaluation_failed", rule=rule.id)
        return Evaluation(rule=rule, all_known=False, trouble=f"{type(error).__name__} while looking")


def _moves(rule: Rule, moves: Iterable[alert_figure_rows.Moved], base: str) -> list[PriceMove]:
    return [
        PriceMove(
            subject,
            move.old,
            move.new,
            base,
            Finding(
                subject=subject,
                title=f"{move.supplier}: {move.name[:_NAME]}",
                supplier=move.supplier,
                mode=move.mode,
                link=_plan_link(move.plan_id),
            ),
        )
        for move in moves
        if rule.supplier in {None, move.supplier} and (rule.country is None or rule.country in move.countries)
        for subject in [f"{move.supplier}\n{move.supplier_plan_id}"]
    ]


def _plan_moves(rule: Rule, moves: Iterable[alert_figure_rows.CheapestMoved], base: str) -> list[PriceMove]:
    return [
        PriceMove(
            subject,
            move.old,
            move.new,
            base,
            Finding(
                subject=subject,
                title=f"Cheapest of {move.plan_id}",
                mode=move.mode,
                link=_plan_link(move.plan_id),
            ),
        )
        for move in moves
        if rule.country is None or rule.country in move.countries
        for subject in [f"{move.mode}\n{move.plan_id}"]
    ]


# -- suppliers: None where a figure is not known


async def _of_suppliers(
    gathered: Gathered, rule: Rule, find: Callable[[Gathered, Rule, SupplierFigures], list[Finding] | None]
) -> Evaluation:
    wanted = [each for each in await gathered.suppliers() if rule.supplier in {None, each.supplier.name}]
    findings_of = [(figures.supplier.name, find(gathered, rule, figures)) for figures in wanted]
    return Evaluation(
        rule=rule,
        found=tuple(finding for _, findings in findings_of for finding in findings or ()),
        unknown=frozenset(name for name, findings in findings_of if findings is None),
    )


def _of(figures: SupplierFigures, subject: str, title: str, detail: str = "", link: str = "") -> Finding:
    name = figures.supplier.name
    return Finding(
        subject=subject,
        title=title,
        detail=detail,
        supplier=name,
        mode=figures.supplier.mode,
        link=link or f"/console/suppliers/{quote(name)}",
    )


def _low_balance(gathered: Gathered, rule: Rule, figures: SupplierFigures) -> list[Finding] | None:
    money = figures.balance.spendable
    if money is None or rule.threshold is None:
        return None
    try:
        left = gathered.rates.to_base(Money.of(money.amount, money.currency))
    except NoRate:
        return None
    if left.amount >= rule.threshold:
        return []
    name = figures.supplier.name
    return [_of(figures, name, f"{name}: balance is low", f"{money.amount} {money.currency} left")]


def _few_days_left(_: Gathered, rule: Rule, figures: SupplierFigures) -> list[Finding] | None:
    if figures.balance.spendable is None or rule.threshold is None:
        return None
    days = figures.balance.days_left
    if days is None or Decimal(str(days)) >= rule.threshold:
        return []
    name, spent = figures.supplier.name, figures.balance.spent_per_day
    pace = "" if spent is None else f" at {spent.amount} {spent.currency} a day"
    return [_of(figures, name, f"{name}: money for a few days", f"{days:g} days{pace}")]


def _failing(_: Gathered, rule: Rule, figures: SupplierFigures) -> list[Finding]:
    reasons = []
    breaker = figures.supplier.breaker
    if breaker.state != "closed":
        reasons.append(f"left alone after {breaker.failures} failures ({breaker.last_error or 'no answer'})"[:300])
    orders = figures.orders
    rate, ended = orders.success_rate, orders.succeeded + orders.failed
    if rule.threshold is not None and rate is not None and ended >= SHORTEST_HISTORY and rate * 100 < rule.threshold:
        reasons.append(f"{rate:.0%} of {ended} orders succeeded within the hour")
    reasons += [f"its account is stopped: {stop.note}"[:300] for stop in figures.stops if stop.reason == "account"]
    name = figures.supplier.name
    return [_of(figures, name, f"{name} is failing", "; ".join(reasons))] if reasons else []


async def _syncs(gathered: Gathered, rule: Rule) -> Evaluation:
    if gathered.lists is None:
        gathered.lists = await alert_figure_rows.other_lists(gathered.deps.pool)
        gathered.guard = {each.supplier: each for each in await alert_figure_rows.price_guard(gathered.deps.pool)}
    return await _of_suppliers(gathered, rule, _sync)


def _sync(gathered: Gathered, rule: Rule, figures: SupplierFigures) -> list[Finding]:
    lists = [each for each in gathered.lists or () if each.supplier == figures.supplier.name]
    found = _plans(gathered, rule, figures)
    return found + [finding for each in lists for finding in _other(gathered, rule, figures, each)]


def _other(
    gathered: Gathered, rule: Rule, figures: SupplierFigures, each: alert_figure_rows.OtherList
) -> list[Finding]:
    """What is wrong with the goods or numbers of a supplier: they are read beside its plans, and fail apart."""
    name, what, link = figures.supplier.name, each.what, "/console/other-goods"
    if each.state == "quarantined":
        title = f"{name}: a walk through its {what} waits for an operator"
        return [_of(figures, f"{name} {what} quarantined", title, (each.error or "")[:300], link)]
    reasons = [f"they could not be read: {each.error}"[:300]] if each.state == "failed" else []
    late = _late(gathered, rule)
    if each.good_at is not None and (gathered.now - each.good_at).total_seconds() > late:
        reasons.append(f"they were last read well more than {_span(late)} ago")
    if each.quarantined:
        reasons.append(f"tiers that are not sold until an operator releases their cost: {each.quarantined}")
    return (
        [_of(figures, f"{name} {what}", f"{name}: trouble with its {what}", "; ".join(reasons), link)]
        if reasons
        else []
    )


def _late(gathered: Gathered, rule: Rule) -> float:
    """Seconds from which on a list is late."""
    interval = gathered.deps.settings.sync.interval_seconds
    return 2 * interval if rule.threshold is None else float(rule.threshold) * 60


def _plans(gathered: Gathered, rule: Rule, figures: SupplierFigures) -> list[Finding]:
    last, name = figures.supplier.last_sync, figures.supplier.name
    if last is None:
        return []
    guard = gathered.guard.get(name)
    if last.state == "quarantined":
        reason = guard.reason if guard is not None and guard.reason else "quarantined"
        title = f"{name}: a sync waits for an operator"
        return [_of(figures, f"{name} quarantined", title, reason[:300], "/console/sync-runs")]
    return _late_or_failed(gathered, rule, figures) + _suspects_rose(gathered, figures, guard)


def _suspects_rose(
    gathered: Gathered, figures: SupplierFigures, guard: alert_figure_rows.GuardFigures | None
) -> list[Finding]:
    """Suddenly many prices are suspect: as many as could quarantine a list, and more than are believed by themselves.

    What is found stands until a day has passed or the prices are released or back within their bounds.
    """
    sync, name = gathered.deps.settings.sync, figures.supplier.name
    rose = 0 if guard is None else guard.suspect - guard.suspect_before
    if guard is None or rose < sync.quarantine_from or rose <= sync.suspect_release_share * guard.mapped:
        return []
    detail = f"{guard.suspect} of {guard.mapped} prices are suspect, and were {guard.suspect_before} within a day"
    link = "/console/suspects?" + urlencode({"supplier": name})
    return [_of(figures, f"{name} suspects", f"{name}: many prices became suspect", detail, link)]


def _late_or_failed(gathered: Gathered, rule: Rule, figures: SupplierFigures) -> list[Finding]:
    last, name = figures.supplier.last_sync, figures.supplier.name
    if last is None:
        return []
    late = _late(gathered, rule)
    reasons = ["the last sync failed"] if last.state == "failed" else []
    if last.good_at is not None and (gathered.now - last.good_at).total_seconds() > late:
        reasons.append(f"the last good sync is more than {_span(late)} old")
    return (
        [_of(figures, name, f"{name}: sync late or failed", "; ".join(reasons), "/console/sync-runs")]
        if reasons
        else []
    )


# -- margins, offers, orders


async def _margins(gathered: Gathered, rule: Rule) -> Evaluation:
    found = await gathered.margins(rule.threshold or Decimal(0))
    if found is None:
        return Evaluation(rule=rule, all_known=False, trouble="there is no catalogue on this machine yet")
    return Evaluation(
        rule=rule,
        found=tuple(
            Finding(
                subject=f"{thin.mode}\n{thin.supplier}",
                title=f"{thin.supplier}: margins are thin",
                detail=thin.summary(rule.threshold or Decimal(0)),
                supplier=thin.supplier,
                mode=thin.mode,
                link="/console/margins?" + urlencode({"supplier": thin.supplier}),
            )
            for thin in found
            if rule.supplier in {None, thin.supplier}
        ),
    )


def _waiting_at(mode: str, supplier: str | None, orders: Sequence[Attention]) -> Finding:
    first, place = orders[0], f" at {supplier}" if supplier else ""
    title = f"{len(orders)} orders{place} need attention"
    return Finding(
        subject=f"{mode}\n{supplier or ''}",
        title=f"Order {first.id} needs attention" if len(orders) == 1 else title,
        detail=f"of {first.storefront}" + (f", at {supplier}: {first.why}"[:300] if supplier else ""),
        supplier=supplier,
        mode=mode,
        link="/console/attention",
    )


async def _attention(gathered: Gathered, rule: Rule) -> Evaluation:
    waiting = await alert_figure_rows.attention(gathered.deps.pool)
    late = await alert_figure_rows.late_charges(gathered.deps.pool)
    orders = list({each.id: each for each in (*late, *waiting)}.values())
    longest = timedelta(minutes=float(rule.threshold or 0))
    groups: dict[tuple[str, str | None], list[Attention]] = {}
    for order in orders:
        if gathered.now - order.since >= longest and rule.supplier in {None, order.supplier}:
            groups.setdefault((order.mode, order.supplier), []).append(order)
    return Evaluation(
        rule=rule,
        # What fails at one supplier fails for many orders: they are one alert.
        found=tuple(_waiting_at(mode, supplier, found) for (mode, supplier), found in groups.items()),
        all_known=max(len(waiting), len(late)) < alert_figure_rows.MOST_ORDERS,
    )


async def _payments(gathered: Gathered, rule: Rule) -> Evaluation:
    cases = await checkout_view_rows.open_cases(gathered.deps.pool, PageRequest(MOST_CASES))
    longest = timedelta(minutes=float(rule.threshold or 0))
    return Evaluation(
        rule=rule,
        found=tuple(
            Finding(
                subject=case.id,
                title=f"A payment needs attention: {WORDS[case.reason]}",
                detail=f"{case.checkout_id or 'no checkout of ours'}: {case.detail}"[:300],
                mode=case.mode,
                link=f"/console/checkouts/{quote(case.checkout_id)}" if case.checkout_id else "/console/checkouts",
            )
            for case in cases.data
            if gathered.now - case.opened_at >= longest
        ),
        all_known=not cases.has_more,
    )


async def _statements(gathered: Gathered, rule: Rule) -> Evaluation:
    differing = await supplier_statement_rows.differing(gathered.deps.pool)
    return Evaluation(
        rule=rule,
        found=tuple(
            _of(
                figures,
                name,
                f"{name}: its statement differs from the ledger",
                f"lines of the last days that differ: {differing[name][0]}; the newest: {differing[name][1]}"[:300],
                f"/console/money/{quote(name)}?differing=1",
            )
            for figures in await gathered.suppliers()
            if (name := figures.supplier.name) in differing and rule.supplier in {None, name}
        ),
    )


async def _charged_more(gathered: Gathered, rule: Rule) -> Evaluation:
    offers = await alert_figure_rows.charged_more(gathered.deps.pool)
    return Evaluation(
        rule=rule,
        found=tuple(
            Finding(
                subject=f"{offer.supplier}\n{offer.supplier_plan_id}",
                title=f"{offer.supplier} charged more than listed: {offer.name[:_NAME]}",
                detail=offer.note,
                supplier=offer.supplier,
                mode=offer.mode,
                link="/console/other-goods" if offer.plan_id is None else _plan_link(offer.plan_id),
            )
            for offer in offers
            if rule.supplier in {None, offer.supplier}
        ),
        all_known=len(offers) < alert_figure_rows.MOST_OFFERS,
    )


def _plan_link(plan_id: str) -> str:
    """The page with what a plan's offers cost over time."""
    return f"/console/plans/{quote(plan_id, safe='')}/history"


def _span(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds < 2 * 3600 else f"{seconds / 3600:g} h"


# Every kind but moved prices, which are evaluated together, and those on health (``evaluate_health``).
EVALUATIONS: Mapping[AlertKind, Callable[[Gathered, Rule], Awaitable[Evaluation]]] = {
    "thin_margin": _margins,
    "low_balance": partial(_of_suppliers, find=_low_balance),
    "few_days_left": partial(_of_suppliers, find=_few_days_left),
    "supplier_failing": partial(_of_suppliers, find=_failing),
    "sync_trouble": _syncs,
    "charged_more": _charged_more,
    "orders_attention": _attention,
    "payments_attention": _payments,
    "statement_differs": _statements,
}
