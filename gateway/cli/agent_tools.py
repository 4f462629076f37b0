"""What an agent may do at the gateway: tools, each made of a declared operation of the API, called with a key.

Buying takes two steps, a quote and its confirmation with the quote's price, and needs a key that has a mandate. The
mandate itself is kept by the gateway, for every order of the key; here it is only asked whether there is one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from msgspec import inspect

from gateway.api.descriptions import field_texts, text_of_type
from gateway.api.problems import KINDS
from gateway.cli.operation_client import Gateway, ProblemReceivedError, route_of
from schemas.patterns import as_ecmascript

WAIT = {"Prefer": "wait=20"}
PNG = "image/png"
_DEFINED = "#/$defs/{name}"
_QUOTED = "The quote's price. With another one nothing is bought."
_LISTED = "The price that list_topup_plans said. Nothing is bought when it costs more by now."
_REQUEST_ID = "A new text for each top-up, and the same one when you repeat it: it then buys once."
Arguments = Mapping[str, Any]


class ToolRefusedError(Exception):
    """A tool did not do what it was asked: ``code`` is one of the API's, ``detail`` says what is wrong."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail

    @property
    def answer(self) -> dict[str, str]:
        """What an agent gets: the code, what is wrong, what causes it in general, and what to do."""
        kind = KINDS.get(self.code)
        general = {} if kind is None else {"cause": kind.cause, "cure": kind.cure}
        return {"code": self.code, "detail": self.detail, **general}


class Picture(msgspec.Struct, frozen=True):
    """An answer that is a picture."""

    content: bytes
    content_type: str


Answer = dict[str, Any] | Picture


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """A tool that calls an operation ("orders.get_order").

    ``takes`` are the operation's fields and parts of its path that the tool has, by the tool's own name for each.
    ``added`` are arguments that the operation does not have, ``described`` what else is said of one than the operation
    does. ``act`` does more than call it. A key without a mandate uses only what does not need one; ``spends``: it buys.
    """

    operation: str
    help: str
    takes: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    added: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    described: Mapping[str, str] = field(default_factory=dict)
    act: Callable[[Gateway, Tool, Arguments], Awaitable[Answer]] | None = None
    needs_mandate: bool = True
    spends: bool = False


async def use_tool(gateway: Gateway, name: str, arguments: Arguments) -> Answer:
    """What a tool answers. Raises ``ToolRefusedError``, and ``ConfigurationError`` where no gateway answers."""
    tool = TOOLS.get(name)
    if tool is None:
        raise ToolRefusedError("not_found", f"there is no tool {name}: {', '.join(TOOLS)}")
    if unknown := arguments.keys() - tool.takes.keys() - tool.added.keys():
        raise ToolRefusedError("invalid", f"{name} has no argument {min(unknown)}")
    if missing := [needed for needed in tool.required if arguments.get(needed) is None]:
        raise ToolRefusedError("invalid", f"{name} needs {' and '.join(missing)}")
    try:
        if tool.needs_mandate:
            await _require_mandate(gateway)
        return await (tool.act or _call)(gateway, tool, arguments)
    except ProblemReceivedError as error:
        raise ToolRefusedError(str(error.problem.get("code", "internal")), str(error)) from None


def input_schema(tool: Tool) -> dict[str, Any]:
    """The JSON schema of what a tool takes: of the operation's own fields and parts."""
    route = route_of(tool.operation)
    properties: dict[str, Any] = {}
    definitions: dict[str, Any] = {}
    names = {of_operation: own for own, of_operation in tool.takes.items()}
    for part, (pattern, text) in route.parts.items():
        if part in names:
            properties[names[part]] = {"type": "string", "pattern": pattern, "description": text}
    for kind in (route.parameters, *route.bodies):
        info = inspect.type_info(kind)
        if not isinstance(info, inspect.StructType):
            continue
        components = as_ecmascript(msgspec.json.schema_components([info.cls], ref_template=_DEFINED)[1])
        schema, texts = components.pop(info.cls.__name__), field_texts(info.cls)
        definitions |= components
        for each in info.fields:
            if each.encode_name in names:
                text = texts.get(each.name) or text_of_type(each.type)
                properties[names[each.encode_name]] = {**schema["properties"][each.encode_name], "description": text}
    properties |= tool.added
    for name, text in tool.described.items():
        properties[name] = {**properties[name], "description": text}
    made: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if tool.required:
        made["required"] = list(tool.required)
    if used := dict(_used(properties, definitions)):
        made["$defs"] = used
    return made


def _used(schema: Any, definitions: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> Iterator[tuple[str, Any]]:
    """The definitions that a schema refers to, and those that they refer to."""
    text = msgspec.json.encode(schema).decode()
    for name, definition in definitions.items():
        if name not in seen and f'"{_DEFINED.format(name=name)}"' in text:
            yield name, definition
            yield from _used(definition, definitions, seen | {name})


def _sent(tool: Tool, arguments: Arguments) -> tuple[dict[str, str], dict[str, Any]]:
    """The parts of the operation's path, and what else it is sent."""
    route = route_of(tool.operation)
    values = {tool.takes[name]: value for name, value in arguments.items() if name in tool.takes}
    parts = {name: str(value) for name, value in values.items() if name in route.parts}
    return parts, {name: value for name, value in values.items() if name not in parts}


async def _call(gateway: Gateway, tool: Tool, arguments: Arguments) -> Answer:
    headers = WAIT if "Prefer" in route_of(tool.operation).headers else None
    parts, sent = _sent(tool, arguments)
    return _decoded(await gateway.fetch(tool.operation, parts, sent, headers))


async def _picture(gateway: Gateway, tool: Tool, arguments: Arguments) -> Answer:
    parts, _ = _sent(tool, arguments)
    return Picture(await gateway.fetch(tool.operation, parts), PNG)


async def _confirm(gateway: Gateway, tool: Tool, arguments: Arguments) -> Answer:
    """Order what was quoted, at the price that was confirmed and no other.

    The key is made of the quote, so a confirmation that is repeated buys once. Where the order stands already the quote
    may have ended: then the order itself says so.
    """
    price = _price(arguments["price"])
    _, sent = _sent(tool, {**arguments, "price": price})
    try:
        now = _decoded(await gateway.fetch("orders.validate_order", sent={"quote_id": arguments["quote_id"]}))["price"]
    except ProblemReceivedError:
        now = price
    if (quoted := _price(now)) != price:
        texts = [f"{each['amount']} {each['currency']}" for each in (quoted, price)]
        raise ToolRefusedError("price_changed", f"the quote holds {texts[0]}, and {texts[1]} was confirmed")
    key = hashlib.sha256(str(arguments["quote_id"]).encode()).hexdigest()
    headers = {"Idempotency-Key": f"mcp-quote-{key}", **WAIT}
    return _decoded(await gateway.fetch(tool.operation, sent=sent, headers=headers))


async def _top_up(gateway: Gateway, tool: Tool, arguments: Arguments) -> Answer:
    parts, sent = _sent(tool, {**arguments, "price": _price(arguments["price"])})
    headers = {"Idempotency-Key": f"mcp-topup-{arguments['request_id']}", **WAIT}
    return _decoded(await gateway.fetch(tool.operation, parts, sent, headers))


async def _require_mandate(gateway: Gateway) -> None:
    try:
        await gateway.fetch("keys.get_own_mandate")
    except ProblemReceivedError as error:
        if error.problem.get("code") != "not_found":
            raise
        detail = "this key has no mandate: with it an agent may only search and quote"
        raise ToolRefusedError("mandate_required", detail) from None


def _price(sent: Any) -> dict[str, str]:
    """A price as it is compared and sent: "5.5" and "5.50" are one. Raises ``ToolRefusedError``."""
    try:
        amount = Decimal(str(sent["amount"]))
        if not amount.is_finite():
            raise InvalidOperation  # noqa: TRY301 - as for what is no number at all
        return {"amount": f"{amount.normalize():f}", "currency": str(sent["currency"]).upper()}
    except (InvalidOperation, KeyError, TypeError):
        raise ToolRefusedError("invalid", 'price must be such as {"amount": "5.50", "currency": "USD"}') from None


def _decoded(raw: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(raw)
    return found


def _same(arguments: str) -> dict[str, str]:
    """Arguments as the operation has them, or under another name ("esim_id=id")."""
    pairs = (argument.partition("=") for argument in arguments.split())
    return {own: of_operation or own for own, _, of_operation in pairs}


TOOLS: Mapping[str, Tool] = {
    "search_plans": Tool(
        operation="catalog.list_plans",
        help="Search eSIM plans by country, data, days and features, the cheapest first. Prices may change: a quote "
        "holds one.",
        takes=_same(
            "country region min_data_mb unlimited min_days max_days topup voice sms hotspot max_price currency q sort"
            " limit cursor"
        ),
        needs_mandate=False,
    ),
    "quote": Tool(
        operation="quotes.create_quote",
        help="Hold the price of a plan for some minutes: of the plan with this id, or of the cheapest in stock that "
        "meets a need (countries, data, days). Nothing is bought: confirm_order does that, with the quote's id and "
        "price.",
        takes=_same("plan_id countries data_mb unlimited days features currency"),
        needs_mandate=False,
    ),
    "confirm_order": Tool(
        operation="orders.create_order",
        help="Buy what was quoted. This spends money, once for each quote however often it is repeated. Show the plan "
        "and the price to the person you act for before you confirm.",
        takes=_same("quote_id price=max_price reference customer metadata"),
        required=("quote_id", "price"),
        described={"price": _QUOTED},
        act=_confirm,
        spends=True,
    ),
    "get_order": Tool(
        operation="orders.get_order",
        help="Where an order stands, and its eSIM once that is delivered. Waits some seconds for one that is not "
        "answered yet.",
        takes=_same("order_id=id"),
        required=("order_id",),
    ),
    "get_esim": Tool(
        operation="esims.get_esim",
        help="The state of an eSIM, its data and when it expires.",
        takes=_same("esim_id=id"),
        required=("esim_id",),
    ),
    "get_esim_usage": Tool(
        operation="esims.get_esim_usage",
        help="How much of an eSIM's data is used.",
        takes=_same("esim_id=id"),
        required=("esim_id",),
    ),
    "get_qr_code": Tool(
        operation="esims.get_esim_qr_png",
        help="The QR code that installs an eSIM, as a picture. Whoever scans it takes the eSIM: show it to its owner "
        "alone.",
        takes=_same("esim_id=id"),
        required=("esim_id",),
        act=_picture,
    ),
    "list_topup_plans": Tool(
        operation="esims.list_esim_topup_plans",
        help="What can be added to an eSIM now, with prices.",
        takes=_same("esim_id=id currency"),
        required=("esim_id",),
    ),
    "top_up_esim": Tool(
        operation="esims.top_up_esim",
        help="Add a plan to an eSIM, at the price that list_topup_plans said. This spends money, once for each "
        "request_id however often it is repeated.",
        takes=_same("esim_id=id topup_plan_id price=max_price reference metadata"),
        required=("esim_id", "topup_plan_id", "price", "request_id"),
        added={"request_id": {"type": "string", "minLength": 1, "maxLength": 200, "description": _REQUEST_ID}},
        described={"price": _LISTED},
        act=_top_up,
        spends=True,
    ),
    "get_mandate": Tool(
        operation="keys.get_own_mandate",
        help="What you may spend, for one order, in a day and in a month, what you have spent, and until when.",
    ),
}
