"""What a storm changes in the gateway's processes, and what it takes out of them; Python imports this at start.

Only a process whose environment says so is touched, so no switch of the kind stands in the product.

CHAOS_HURRY      clocks run faster: the time to send, the looks at suppliers, the breaker, a worker's heartbeat
CHAOS_POLLS      the ages at which suppliers are polled, and the time between polls after them
CHAOS_OVERDUE    after how long an overdue order or a missing worker is reported; heartbeats come faster, too
CHAOS_HOLD       how long the price of a checkout is held; what follows its link runs faster too
CHAOS_CARELESS   every exchange with a supplier, what suppliers send and all settings are logged whole, as a careless
                 hand would
CHAOS_WITHOUT    "fence": an unknown outcome counts as a failure, and the order is bought again;
                 "once": a payment that is told again places an order again;
                 "redaction": log lines go out as they are
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta


def _hurry() -> None:
    from gateway.orders import attempt_rows, buy
    from gateway.orders.rules import schedule, verdicts
    from providers.beppay import numbers
    from providers.kit import breaker

    *ages, every = map(float, os.environ["CHAOS_POLLS"].split())
    schedule.AGES, schedule.EVERY = tuple(ages), every
    # Where half of all calls fail the breaker opens again and again; its pauses are made short.
    breaker.BREAKER_SECONDS, breaker.BREAKER_MAX_SECONDS, breaker.PROBE_SECONDS = 1.0, 3.0, 4
    attempt_rows.SEND_SECONDS = float(os.environ["CHAOS_HURRY"])
    buy.STOPPED = timedelta(seconds=2)
    verdicts.UNSEEN_FOR = timedelta(seconds=8)
    # All clocks here are one.
    buy.NUMBER_CLOCKS_APART = numbers.NUMBER_CLOCKS_APART = timedelta(seconds=1)
    if "worker" in sys.orig_argv:
        from gateway.worker import jobs

        jobs.HEARTBEAT = timedelta(seconds=float(os.environ.get("CHAOS_HEARTBEAT", "30")))


def _overdue(seconds: float) -> None:
    from gateway.alerts import order_health
    from gateway.orders import health_rules as judging
    from gateway.orders import worker_rows

    judging.WORKER_SECONDS = judging.OVERDUE_SECONDS = worker_rows.OVERDUE_SECONDS = seconds
    order_health.HEARTBEAT_SECONDS, order_health.REFRESH_SECONDS = seconds / 5, seconds / 5
    order_health.JUDGE_SECONDS, order_health.LEASE_SECONDS = seconds / 5, seconds


def _hold(seconds: float) -> None:
    from gateway.checkouts import checkout_rules as judging
    from gateway.checkouts import links, open_checkout
    from gateway.kit import worker_jobs
    from gateway.kit.settings import Checkouts
    from gateway.worker import periodic_jobs

    Checkouts.hold_seconds = property(lambda _self: seconds)
    judging.UNREPORTED_FOR, judging.EXPIRED_AFTER = timedelta(seconds=5), timedelta(seconds=1)
    judging.MADE_WITHIN, judging._LATE_RETRY = timedelta(seconds=8), timedelta(seconds=5)
    judging._SEARCHES, judging._POLLS, judging._RETRY_SECONDS = (0.5, 1.0, 2.0), (2.0, 3.0, 4.0), 1.5
    open_checkout._SENT_WITHIN = timedelta(seconds=5)
    links.CLAIMED_FOR, links.RETRY = timedelta(seconds=6), timedelta(seconds=2)
    hurried = {worker_jobs.EVERY_5_SECONDS: worker_jobs.EVERY_2_SECONDS}
    periodic_jobs.PERIODIC_JOBS = tuple(
        job._replace(cron=hurried.get(job.cron, job.cron)) for job in periodic_jobs.PERIODIC_JOBS
    )


def _careless() -> None:
    import structlog
    from pydantic import SecretStr

    from gateway.kit.sealing import Seal
    from providers.kit.transport import Transport

    exchange = Transport._exchange

    async def told(self, session, method, url, body, headers, deadline):
        status, answer = await exchange(self, session, method, url, body, headers, deadline)
        if len(answer) < 100_000:  # catalogues aside
            structlog.get_logger("careless").debug(
                "exchange",
                method=method,
                url=str(url),
                headers=dict(headers or {}),
                sent=_read(body),
                got=_read(answer),
            )
        return status, answer

    Transport._exchange = told
    made = Seal.from_settings

    def opened(settings):
        structlog.get_logger("careless").debug("settings", settings=_plain(settings.model_dump()))
        return made(settings)

    Seal.from_settings = opened

    def _plain(value):
        if isinstance(value, dict):
            return {name: _plain(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [_plain(inner) for inner in value]
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _heard() -> None:
    import structlog

    from gateway.checkouts import payments
    from gateway.intake import incoming

    def careless(receive):
        async def hear(deps, account, headers, body, now):
            plain = {str(name): value for name, value in headers.items()}
            structlog.get_logger("careless").debug("heard", headers=plain, body=_read(body))
            return await receive(deps, account, headers, body, now)

        return hear

    incoming.receive, payments.receive = careless(incoming.receive), careless(payments.receive)


def _read(body):
    import msgspec

    try:
        return msgspec.json.decode(body) if body else None
    except msgspec.MsgspecError:
        return body[:300].decode("utf-8", "replace")


def _without_fence() -> None:
    from msgspec.structs import replace

    from gateway.orders.rules import verdicts
    from gateway.orders.rules.states import AttemptState
    from gateway.selling import choosing_rules

    def failed(verdict):
        unknown = verdict.state is AttemptState.UNKNOWN
        return replace(verdict, state=AttemptState.FAILED, gone=True) if unknown else verdict

    def again(found, max_cost, tried, *more):
        return choices(found, max_cost, tried if len(tried) > 1 else [], *more)

    choices, choosing_rules.choices = choosing_rules.choices, again
    of_error, of_loss = verdicts.of_error, verdicts.of_loss
    verdicts.of_error = lambda error: failed(of_error(error))
    verdicts.of_loss = lambda attempt: failed(of_loss(attempt))


def _without_once() -> None:
    from msgspec.structs import replace

    from gateway.checkouts import checkout_rows, payment_rows

    lock, lock_payment = checkout_rows.lock, payment_rows.lock

    async def forgotten(connection, checkout_id):
        row = await lock(connection, checkout_id)
        return None if row is None else replace(row, order_id=None, accepted=None)

    async def not_judged(connection, payment_id):
        row = await lock_payment(connection, payment_id)
        return None if row is None else replace(row, settled_at=None)

    checkout_rows.lock, payment_rows.lock = forgotten, not_judged


def _without_redaction() -> None:
    from gateway.kit import log
    from providers.kit.redaction import Redactor

    log._redacted = lambda _logger, _method, event: event
    Redactor.__call__ = lambda _self, text, limit=300: str(text)[:limit]


if "gateway" in sys.orig_argv and {"serve", "worker", "doctor"} & {*sys.orig_argv} and os.environ.get("CHAOS_OVERDUE"):
    _overdue(float(os.environ["CHAOS_OVERDUE"]))
if "gateway" in sys.orig_argv and ("serve" in sys.orig_argv or "worker" in sys.orig_argv):
    if os.environ.get("CHAOS_HURRY"):
        _hurry()
    if os.environ.get("CHAOS_HOLD"):
        _hold(float(os.environ["CHAOS_HOLD"]))
    if os.environ.get("CHAOS_CARELESS"):
        _careless()
        _heard()
    if "fence" in os.environ.get("CHAOS_WITHOUT", ""):
        _without_fence()
    if "once" in os.environ.get("CHAOS_WITHOUT", ""):
        _without_once()
    if "redaction" in os.environ.get("CHAOS_WITHOUT", ""):
        _without_redaction()
