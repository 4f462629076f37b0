"""``esim-gateway checkouts``: what was to be paid, what was, and what an operator decides about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.connected import print_json, run_connected
from gateway.cli.declared import AsJson, Command, Option, command_group
from gateway.cli.state import StateDir
from gateway.kit.sheet import Column, columns, price_text
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.suppliers.deps import Deps
    from schemas.checkouts import CheckoutEvent, CheckoutPayment, OpsCheckout, PaymentCase

CHECKOUTS = columns(
    "checkout=id, created=created_at, status, price:money, order=order_id, plan=plan.name, storefront, mode"
)
CASES = columns(
    "case=id, since=opened_at, outcome, reason, detail, checkout=checkout_id",
    Column("payment", lambda case: None if case.payment is None else _payment(case.payment)),
)


def _show_resolved(resolved: Any) -> None:
    for case in resolved.data:
        print(f"{case.id}  {case.means}: {case.outcome}")


app = command_group(
    "Checkouts: who paid, and deciding what waits for an operator.",
    {
        "list": Command(
            operation="checkouts.list_ops_checkouts",
            nothing="No matching checkouts",
            help="Show checkouts, the newest first.",
            table=CHECKOUTS,
            most=1000,
        ),
        "cases": Command(
            operation="checkouts.list_payment_cases",
            help="Show what waits for an operator, the longest first: also payments that belong to no checkout.",
            table=CASES,
            most=1000,
        ),
        "resolve": Command(
            operation="checkouts.resolve_checkout",
            help="""Decide what waits for an operator.

            As placed: the order is bought now, at the held price. As refunded: you refunded it at the payment
            supplier. As closed: neither. Nothing is sent to the payment supplier.""",
            options={"as_": Option(help="What you decided."), "note": Option(help="Why; kept with it.")},
            show=_show_resolved,
        ),
    },
)


@app.command()
def show(
    checkout_id: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False, state_dir: StateDir = None
) -> None:
    """Show one checkout: its payments, its cases, and everything that happened to it."""

    async def read(deps: Deps) -> tuple[OpsCheckout | None, list[CheckoutEvent]]:
        from gateway.checkouts import checkout_view_rows as checkout_views
        from gateway.checkouts import presenter as checkout_pages

        return await checkout_pages.ops_checkout(deps, checkout_id), await checkout_views.events(deps.pool, checkout_id)

    found, events = run_connected(state_dir, read)
    if found is None:
        raise ConfigurationError(f"there is no checkout {checkout_id}")
    if as_json:
        import msgspec

        print_json({**msgspec.to_builtins(found), "events": msgspec.to_builtins(events)})
        return
    price, fee, margin = (price_text(amount) for amount in (found.price, found.fee, found.margin))
    print(f"{found.id}  {found.status}  {found.plan.name}  {price}  ({found.storefront}, {found.mode})")
    print(f"  link {found.link_id or '-'} at {found.account}, until {found.expires_at:%Y-%m-%d %H:%M:%S} UTC")
    if found.order_id is not None:
        print(f"  order {found.order_id}  {found.order_status}  fee {fee}  margin {margin}")
    if found.failure is not None:
        print(f"  {found.failure.code}: {found.failure.detail}")
    for paid in found.payments:
        print(f"  {_payment(paid)}")
    for case in found.cases:
        print(f"  {_case(case)}")
    for event in events:
        detail = " ".join(f"{name}={value}" for name, value in event.detail.items())
        print(f"  {event.at:%Y-%m-%d %H:%M:%S}  {event.type:<14}  {detail}")


def _case(case: PaymentCase) -> str:
    waits = f"since {case.opened_at:%Y-%m-%d %H:%M} UTC" if case.outcome is None else case.outcome
    paid = "" if case.payment is None else f"  {_payment(case.payment)}"
    return f"{case.id}  {waits}  {case.reason}: {case.detail}  {case.checkout_id or 'no checkout'}{paid}"


def _payment(payment: CheckoutPayment) -> str:
    word = "accepted" if payment.accepted else "not accepted"
    return f"{payment.kind} {payment.supplier_payment_id}  {payment.state}  {price_text(payment.amount)}  {word}"
