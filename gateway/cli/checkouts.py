"""``esim-gateway checkouts``: what was to be paid, what was, and what a person decides about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gateway.cli.connected import print_json, run_connected, who
from gateway.cli.state import StateDir
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.suppliers.deps import Deps
    from schemas.api import Price
    from schemas.checkouts import CheckoutEvent, CheckoutPayment, OpsCheckout, PaymentCase

app = typer.Typer(help="Checkouts: who paid, and deciding what waits for a person.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Status = Literal["creating", "open", "paid", "expired", "needs_review", "failed", "closed"]


@app.command("list")
def list_(
    status: Annotated[Status | None, typer.Option(help="Only checkouts in this state.")] = None,
    storefront: Annotated[str | None, typer.Option(help="Only this storefront's.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=1000)] = 50,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show checkouts, the newest first."""

    async def read(deps: Deps) -> list[OpsCheckout]:
        from gateway.checkouts import checkout_view_rows, presenter
        from gateway.kit.pages import PageRequest

        found = await checkout_view_rows.of_all(deps.pool, PageRequest(limit), status=status, storefront=storefront)
        return await presenter.ops_shown(deps, found.data)

    found = run_connected(state_dir, read)
    if as_json:
        print_json(found)
        return
    for one in found:
        print(
            f"{one.id}  {one.created_at:%Y-%m-%d %H:%M}  {one.status:<12}  {_money(one.price):>12}  "
            f"{one.order_id or '-':<28}  {one.plan.name}  ({one.storefront}, {one.mode})"
        )


@app.command()
def cases(
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=1000)] = 50,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show what waits for a person, the longest first: also payments that belong to no checkout."""

    async def read(deps: Deps) -> list[PaymentCase]:
        from gateway.checkouts import presenter as checkout_pages
        from gateway.kit.pages import PageRequest

        return (await checkout_pages.waiting(deps, PageRequest(limit))).data

    found = run_connected(state_dir, read)
    if as_json:
        print_json(found)
        return
    for one in found:
        print(_case(one))


@app.command()
def show(
    checkout_id: Annotated[str, typer.Argument(metavar="ID")], as_json: AsJson = False, state_dir: StateDir = None
) -> None:
    """Show one checkout: its payments, its cases, and everything that happened to it."""

    async def read(deps: Deps) -> tuple[OpsCheckout | None, list[CheckoutEvent]]:
        from gateway.checkouts import checkout_view_rows as checkout_views
        from gateway.checkouts import presenter as checkout_pages

        return await checkout_pages.ops_one(deps, checkout_id), await checkout_views.events(deps.pool, checkout_id)

    found, events = run_connected(state_dir, read)
    if found is None:
        raise ConfigurationError(f"there is no checkout {checkout_id}")
    if as_json:
        import msgspec

        print_json({**msgspec.to_builtins(found), "events": msgspec.to_builtins(events)})
        return
    print(f"{found.id}  {found.status}  {found.plan.name}  {_money(found.price)}  ({found.storefront}, {found.mode})")
    print(f"  link {found.link_id or '-'} at {found.account}, until {found.expires_at:%Y-%m-%d %H:%M:%S} UTC")
    if found.order_id is not None:
        print(f"  order {found.order_id}  {found.order_status}  fee {_money(found.fee)}  margin {_money(found.margin)}")
    if found.failure is not None:
        print(f"  {found.failure.code}: {found.failure.detail}")
    for paid in found.payments:
        print(f"  {_payment(paid)}")
    for one in found.cases:
        print(f"  {_case(one)}")
    for event in events:
        detail = " ".join(f"{name}={value}" for name, value in event.detail.items())
        print(f"  {event.at:%Y-%m-%d %H:%M:%S}  {event.type:<14}  {detail}")


@app.command()
def resolve(
    name: Annotated[str, typer.Argument(metavar="ID", help="A case (pc_…), or a checkout for all of its open cases.")],
    outcome: Annotated[Literal["placed", "refunded", "closed"], typer.Option("--as", help="What you decided.")],
    note: Annotated[str, typer.Option(help="Why; kept with it.")],
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Decide what waits for a person.

    As placed: the order is bought now, at the price that was held. As refunded: you gave the money back at the payment
    supplier. As closed: neither. Nothing is sent to the payment supplier.
    """

    async def act(deps: Deps) -> list[PaymentCase]:
        from gateway.checkouts import presenter as checkout_pages
        from gateway.checkouts.decisions import decide
        from gateway.kit.problem import Problem

        closed = await decide(deps, name, outcome, note, who())
        if isinstance(closed, Problem):
            raise ConfigurationError(closed.detail)
        found = [await checkout_pages.case(deps, one.id) for one in closed]
        return [one for one in found if one is not None]

    closed = run_connected(state_dir, act)
    if as_json:
        print_json(closed)
        return
    for one in closed:
        print(f"{one.id}  {one.means}: {outcome}")


def _case(one: PaymentCase) -> str:
    waits = f"since {one.opened_at:%Y-%m-%d %H:%M} UTC" if one.outcome is None else one.outcome
    paid = "" if one.payment is None else f"  {_payment(one.payment)}"
    return f"{one.id}  {waits}  {one.reason}: {one.detail}  {one.checkout_id or 'no checkout'}{paid}"


def _payment(one: CheckoutPayment) -> str:
    word = "accepted" if one.accepted else "not accepted"
    return f"{one.kind} {one.supplier_payment_id}  {one.state}  {_money(one.amount)}  {word}"


def _money(price: Price | None) -> str:
    return "-" if price is None else f"{price.amount} {price.currency}"
