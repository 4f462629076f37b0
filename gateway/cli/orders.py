"""``esim-gateway orders``: what was ordered, what happened to it, and what an operator does about it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.connected import agreed, cli_actor, print_json, run_connected
from gateway.cli.declared import AsJson, Command, Option, command_group
from gateway.cli.operation_client import Gateway, run_at_gateway
from gateway.cli.state import StateDir
from gateway.kit.sheet import Column, columns, price_text
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from gateway.orders.read_again import AnswersRead
    from gateway.suppliers.deps import Deps
    from schemas.orders import OrderedNumber

CANCEL_LOOKS = 10
CANCEL_LOOK_SECONDS = 0.5
OrderId = Annotated[str, typer.Argument(metavar="ID")]


def _name(order: Any) -> str:
    from gateway.selling.sold_rules import name_of

    return name_of(order)


ORDERS = columns(
    "order=id, created=created_at, status, price:money, supplier", Column("name", _name), "storefront, mode"
)


async def _with_events(gateway: Gateway, order: Any) -> Any:
    events = await gateway.call("orders.list_ops_order_events", {"id": order["id"]})
    return {**order, "events": events["data"]}


async def _until_answered(gateway: Gateway, order: Any) -> Any:
    """A cancellation that was begun, brought to its end as far as that comes now. The gateway may be at it itself."""
    parts = {"id": order["id"]}
    if order["status"] == "cancel_pending":
        order = await gateway.call("orders.look_up_order", parts)
    for _ in range(CANCEL_LOOKS):
        if order["status"] != "cancel_pending":
            break
        await asyncio.sleep(CANCEL_LOOK_SECONDS)
        order = await gateway.call("orders.get_ops_order", parts)
    return await _with_events(gateway, order)


def _typed(text: str) -> str:
    return sys.stdin.readline().strip() if text == "-" else text


def _codes(path: str) -> list[dict[str, Any]]:
    """The lines of a file (or -) as codes of a voucher."""
    import msgspec

    from gateway.items.item_rules import codes_in

    text = sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
    codes = msgspec.to_builtins(codes_in(text))
    return [{name: value for name, value in code.items() if value is not None} for code in codes]


def _show(order: Any) -> None:
    """Print an order with its ``events``, as JSON has them."""
    import msgspec

    from schemas.ops_orders import OpsOrder
    from schemas.orders import OrderEvent

    events = msgspec.convert(order["events"], list[OrderEvent])
    order = msgspec.convert(order, OpsOrder)
    print(f"{order.id}  {order.status}  {_name(order)}  {price_text(order.price)}  ({order.storefront}, {order.mode})")
    if order.failure is not None:
        print(f"  {order.failure.code}: {order.failure.detail}")
    if order.esim is not None:
        print(f"  eSIM {order.esim.id}")
    if order.number is not None and order.number.id is not None:
        print(f"  number {order.number.id}, {_until(order.number)}")
    for attempt in order.attempts or ():
        error = f"  {attempt.error}" if attempt.error else ""
        print(
            f"  {attempt.n}  {attempt.kind:<8}  {attempt.supplier:<12}  {attempt.state:<21}"
            f"  {price_text(attempt.cost):>12}"
            f"  {attempt.reference}  {attempt.supplier_order_id or '-'}  {attempt.why}{error}"
        )
    for event in events:
        ops = " ".join(f"{name}={value}" for name, value in (event.ops or {}).items() if not isinstance(value, list))
        print(f"  {event.at:%Y-%m-%d %H:%M:%S}  {event.type:<20}  {event.detail}{'  ' if event.detail else ''}{ops}")


app = command_group(
    "Orders: what happened to them, and settling what waits for an operator.",
    {
        "list": Command(
            operation="orders.list_ops_orders",
            nothing="No matching orders",
            help="Show orders, the newest first. `--status needs_review` is what waits for an operator.",
            table=ORDERS,
            most=1000,
        ),
        "show": Command(
            operation="orders.get_ops_order",
            help="Show one order: its attempts, what each cost, and everything that happened to it.",
            then=_with_events,
            show=_show,
        ),
        "resolve": Command(
            operation="orders.resolve_order",
            help="""Settle an order that waits for an operator.

            As failed: the supplier charged nothing. As refunded: it charged and refunded. As released: an
            order that was pending in a restored backup goes on (see `orders release`).""",
            options={
                "as_": Option(help="What became of it."),
                "note": Option(help="How you know; kept with the order."),
                "activation_code": Option(help="Of an eSIM; - reads it from standard input.", parse=_typed),
                "iccid": Option(help="Of an eSIM, where no supplier sent it."),
                "phone_number": Option(help="Of a virtual number; - reads it from standard input.", parse=_typed),
                "expires_at": Option(help="Until when a virtual number is ours."),
                "codes": Option(
                    help="Of a voucher: a file (or -) with one a line, PIN;serial;other text.",
                    parse=_codes,
                    kind=str,
                ),
            },
            then=_with_events,
            show=_show,
        ),
        "look-up": Command(
            operation="orders.look_up_order",
            help="Ask the supplier now what became of an order.",
            then=_with_events,
            show=_show,
        ),
        "cancel": Command(
            operation="orders.cancel_ops_order",
            help="Cancel an order, as its storefront could. At once while nothing was sent for it.",
            options={
                "force": Option(help="Also an eSIM with top-ups: each then needs review."),
                "note": Option(help="Why; kept in the audit log."),
            },
            then=_until_answered,
            show=_show,
        ),
    },
)


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
    _print_order(order_id, as_json=as_json, state_dir=state_dir, answers=answers)


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
        from gateway.orders.restore import release as let_go_on

        return agreed(await let_go_on(deps, order_id, cli_actor(), note))

    released = run_connected(state_dir, act)
    if as_json:
        print_json({"orders": released})
        return
    print(f"{len(released)} released")
    for released_id in released:
        print(f"  {released_id}")


@app.command("adopt")
def link_order(
    order_id: OrderId,
    supplier: Annotated[str, typer.Option(help="The supplier whose statement has the attempt.")],
    reference: Annotated[str | None, typer.Option(help="Our reference of it, as reconcile names it (att_…).")] = None,
    supplier_order: Annotated[
        str | None, typer.Option(help="The supplier's order, where it shows no reference of ours (virtual numbers).")
    ] = None,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Link a waiting order to an attempt that a restore of the database lost, and poll it."""

    async def act(deps: Deps) -> None:
        from gateway.orders.link_supplier_order import link_supplier_order
        from gateway.orders.process import process_order

        agreed(await link_supplier_order(deps, order_id, supplier, reference, supplier_order))
        await process_order(deps, order_id, poll=True)

    run_connected(state_dir, act)
    _print_order(order_id, as_json=as_json, state_dir=state_dir)


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


def _print_order(order_id: str, *, as_json: bool, state_dir: StateDir, **more: object) -> None:
    """Print an order; ``more`` stands beside it in JSON."""

    async def read(gateway: Gateway) -> Any:
        return await _with_events(gateway, await gateway.call("orders.get_ops_order", {"id": order_id}))

    order = run_at_gateway(state_dir, read, "orders")
    if as_json:
        print_json({**order, **more})
    else:
        _show(order)


def _until(number: OrderedNumber) -> str:
    until = "until nobody knows when" if number.expires_at is None else f"until {number.expires_at:%Y-%m-%d %H:%M} UTC"
    renews = {True: ", renewed by itself", False: ", not renewed", None: ""}[number.autorenew]
    return f"{until}{renews}"
