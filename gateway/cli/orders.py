"""``esim-gateway orders``: what was ordered, what happened to it, and what a person does about it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gateway.cli.connected import agreed, print_json, run_connected, who
from gateway.cli.state import StateDir
from gateway.items.item_rules import VoucherCodes, codes_in
from gateway.selling.sold_rules import name_of
from schemas.errors import ConfigurationError
from schemas.order import NumberDelivery

if TYPE_CHECKING:
    from gateway.orders.read_again import AnswersRead
    from gateway.suppliers.deps import Deps
    from schemas.api import Price
    from schemas.orders import OpsOrder, OrderedNumber, OrderEvent

app = typer.Typer(help="Orders: what happened to them, and settling what waits for a person.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
OrderId = Annotated[str, typer.Argument(metavar="ID")]
Status = Literal["pending", "fulfilled", "failed", "needs_review", "cancel_pending", "cancelled"]


@app.command("list")
def list_(
    status: Annotated[Status | None, typer.Option(help="Only orders in this state.")] = None,
    supplier: Annotated[str | None, typer.Option(help="Only orders for which this supplier was asked.")] = None,
    storefront: Annotated[str | None, typer.Option(help="Only this storefront's.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=1000)] = 50,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show orders, the newest first. `--status needs_review` is what waits for a person."""

    async def read(deps: Deps) -> list[OpsOrder]:
        from gateway.kit.pages import PageRequest
        from gateway.orders import order_view_rows, presenter

        found = await order_view_rows.of_all(
            deps.pool, PageRequest(limit), status=status, supplier=supplier, storefront=storefront
        )
        return await presenter.ops_orders(deps, found.data)

    orders = run_connected(state_dir, read)
    if as_json:
        print_json(orders)
        return
    for order in orders:
        asked = order.supplier if isinstance(order.supplier, str) else "-"
        print(
            f"{order.id}  {order.created_at:%Y-%m-%d %H:%M}  {order.status:<14}  {_money(order.price):>12}  "
            f"{asked:<12}  {name_of(order)}  ({order.storefront}, {order.mode})"
        )


@app.command()
def show(order_id: OrderId, as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """Show one order: its attempts, what each cost, and everything that happened to it."""
    _show(order_id, as_json=as_json, state_dir=state_dir)


@app.command()
def resolve(
    order_id: OrderId,
    outcome: Annotated[
        Literal["fulfilled", "failed", "refunded", "released"], typer.Option("--as", help="What became of it.")
    ],
    note: Annotated[str, typer.Option(help="How you know; kept with the order.")],
    activation_code: Annotated[str | None, typer.Option(help="Of an eSIM; - reads it from standard input.")] = None,
    iccid: Annotated[str | None, typer.Option(help="Of an eSIM, where no supplier told it.")] = None,
    phone_number: Annotated[
        str | None, typer.Option(help="Of a virtual number; - reads it from standard input.")
    ] = None,
    codes: Annotated[
        Path | None, typer.Option(help="Of a voucher: a file (or -) with one a line, PIN;serial;what was told.")
    ] = None,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Settle an order that waits for a person.

    As failed: the supplier took nothing. As refunded: it took something and gave it back. As released: an order that
    was pending in a restored backup goes on (see `orders release`).
    """
    code = sys.stdin.readline().strip() if activation_code == "-" else activation_code
    item: NumberDelivery | VoucherCodes | None = None
    if phone_number is not None:
        item = NumberDelivery(sys.stdin.readline().strip() if phone_number == "-" else phone_number)
    elif codes is not None:
        item = VoucherCodes(codes_in(sys.stdin.read() if str(codes) == "-" else codes.read_text()))

    async def act(deps: Deps) -> None:
        from gateway.orders.resolve import resolve as settle_as

        agreed(await settle_as(deps, order_id, outcome, note, code, iccid, "command line", item=item))

    run_connected(state_dir, act)
    _show(order_id, as_json=as_json, state_dir=state_dir)


@app.command("look-up")
def look_up(order_id: OrderId, as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """Ask the supplier now what became of an order."""

    async def act(deps: Deps) -> None:
        from gateway.orders.process import process_order

        await process_order(deps, order_id, poll=True)

    run_connected(state_dir, act)
    _show(order_id, as_json=as_json, state_dir=state_dir)


@app.command("read-answer")
def read_answer(order_id: OrderId, as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """Read the kept answers of its suppliers again: after a fault of ours, or with a corrected plugin.

    Nothing is sent that spends. An answer that is read twice changes nothing the second time.
    """

    async def act(deps: Deps) -> AnswersRead:
        from gateway.orders.read_again import read_order_again

        return await read_order_again(deps, order_id)

    found = run_connected(state_dir, act)
    answers = {"kept": found.kept, "read": found.read, "changed": found.changed}
    if not as_json:
        print(f"kept answers: {found.kept}, readable: {found.read}, changed the order: {found.changed}")
    _show(order_id, as_json=as_json, state_dir=state_dir, answers=answers)


@app.command()
def cancel(
    order_id: OrderId,
    force: Annotated[bool, typer.Option("--force", help="Also an eSIM with top-ups: each then needs review.")] = False,
    note: Annotated[str, typer.Option(help="Why; kept in the audit log.")] = "",
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Cancel an order, as its storefront could. At once while nothing was sent for it."""

    async def act(deps: Deps) -> None:
        from gateway.orders.cancel import cancel_by_operator
        from gateway.orders.process import process_order

        agreed(await cancel_by_operator(deps, order_id, who(), force=force, note=note))
        await process_order(deps, order_id)

    run_connected(state_dir, act)
    _show(order_id, as_json=as_json, state_dir=state_dir)


@app.command()
def release(
    order_id: Annotated[str | None, typer.Argument(metavar="ID")] = None,
    restored: Annotated[bool, typer.Option("--restored", help="All orders that a restore left for review.")] = False,
    note: Annotated[str, typer.Option(help="How you know; kept with the order.")] = "",
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Let orders that were pending in a restored backup go on: they are bought as usual.

    Once `reconcile` is clean. Settle first what has ended since (`orders adopt`, `orders resolve`).
    """
    if (order_id is None) is not restored:
        raise ConfigurationError("name one order, or --restored for all of them")

    async def act(deps: Deps) -> list[str]:
        from gateway.kit.problem import Problem
        from gateway.orders.restore import release as let_go_on

        released = await let_go_on(deps, order_id, who(), note)
        if isinstance(released, Problem):
            raise ConfigurationError(released.detail)
        return released

    released = run_connected(state_dir, act)
    if as_json:
        print_json({"orders": released})
        return
    print(f"{len(released)} released")
    for one in released:
        print(f"  {one}")


@app.command()
def adopt(
    order_id: OrderId,
    supplier: Annotated[str, typer.Option(help="Whose books have the attempt.")],
    reference: Annotated[str | None, typer.Option(help="Our reference of it, as reconcile names it (att_…).")] = None,
    supplier_order: Annotated[
        str | None, typer.Option(help="The supplier's order, where it shows no reference of ours (virtual numbers).")
    ] = None,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Give a waiting order the attempt that a restore of the database took from it, and look what became of it."""

    async def act(deps: Deps) -> None:
        from gateway.orders.link_supplier_order import link_supplier_order as take_back
        from gateway.orders.process import process_order

        agreed(await take_back(deps, order_id, supplier, reference, supplier_order))
        await process_order(deps, order_id, poll=True)

    run_connected(state_dir, act)
    _show(order_id, as_json=as_json, state_dir=state_dir)


@app.command("erase-email")
def erase_email(
    email: Annotated[str, typer.Argument(help="The customer's address; - reads it from standard input.")],
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Forget a customer's e-mail address in all orders. The orders themselves stay."""
    address = sys.stdin.readline() if email == "-" else email

    async def act(deps: Deps) -> list[str]:
        from gateway.privacy.erase import erase_email as erase

        return await erase(deps, address)

    erased = run_connected(state_dir, act)
    if as_json:
        print_json({"orders": erased})
        return
    print(f"forgotten in {len(erased)} orders")


def _show(order_id: str, *, as_json: bool, state_dir: StateDir, **more: object) -> None:
    """Print an order; ``more`` stands beside it in JSON."""

    async def read(deps: Deps) -> tuple[OpsOrder | None, list[OrderEvent]]:
        from gateway.orders import order_view_rows as order_views
        from gateway.orders import presenter as shown

        return await shown.ops_order(deps, order_id), await order_views.events(deps.pool, order_id, with_ops=True)

    order, events = run_connected(state_dir, read)
    if order is None:
        raise ConfigurationError(f"there is no order {order_id}")
    if as_json:
        import msgspec

        print_json({**msgspec.to_builtins(order), "events": msgspec.to_builtins(events), **more})
        return
    print(f"{order.id}  {order.status}  {name_of(order)}  {_money(order.price)}  ({order.storefront}, {order.mode})")
    if order.failure is not None:
        print(f"  {order.failure.code}: {order.failure.detail}")
    if order.esim is not None:
        print(f"  eSIM {order.esim.id}")
    if order.number is not None and order.number.id is not None:
        print(f"  number {order.number.id}, {_until(order.number)}")
    for attempt in order.attempts or ():
        error = f"  {attempt.error}" if attempt.error else ""
        print(
            f"  {attempt.n}  {attempt.kind:<8}  {attempt.supplier:<12}  {attempt.state:<21}  {_money(attempt.cost):>12}"
            f"  {attempt.reference}  {attempt.supplier_order_id or '-'}  {attempt.why}{error}"
        )
    for event in events:
        ops = " ".join(f"{name}={value}" for name, value in (event.ops or {}).items() if not isinstance(value, list))
        print(f"  {event.at:%Y-%m-%d %H:%M:%S}  {event.type:<20}  {event.detail}{'  ' if event.detail else ''}{ops}")


def _until(number: OrderedNumber) -> str:
    until = "until nobody knows when" if number.expires_at is None else f"until {number.expires_at:%Y-%m-%d %H:%M} UTC"
    renews = {True: ", renewed by itself", False: ", not renewed", None: ""}[number.autorenew]
    return f"{until}{renews}"


def _money(price: Price | None) -> str:
    return "-" if price is None else f"{price.amount} {price.currency}"
