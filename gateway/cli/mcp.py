"""``esim-gateway mcp``: the gateway's tools for agents, over the Model Context Protocol."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.operation_client import ENV_KEY, Gateway, gateway_at, gateway_url
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext
    from mcp.server.lowlevel import Server
    from mcp.types import CallToolResult
    from starlette.applications import Starlette

PATH = "/mcp"
_INSTRUCTIONS = (
    "Sells eSIMs. Search plans or ask for a quote of what a traveller needs, show the plan and its price to the person "
    "you act for, and confirm the quote with its price to buy. Buying needs a mandate: get_mandate says what is left."
)
OpenGateway = Callable[["ServerRequestContext[Any, Any]"], AbstractAsyncContextManager[Gateway]]


def mcp(
    http: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Serve streamable HTTP there, at /mcp, instead of stdio.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="With --http: a name that requests may be for, beside HOST; repeated.")
    ] = None,
) -> None:
    """Serve the gateway's tools to agents, over the Model Context Protocol.

    For the gateway that GATEWAY_URL names: search, quote, buy in two steps, follow orders and eSIMs, top up. On
    standard input and output with the key in GATEWAY_KEY; over HTTP each request carries its own key, as Authorization:
    Bearer. An agent buys only with a key that has a mandate: **esim-gateway keys set-mandate**.
    """
    url = gateway_url()
    try:
        import mcp.server  # noqa: F401 - whether it is there
    except ImportError:
        raise ConfigurationError('agents need the extra mcp: pip install "esim-gateway[mcp]"') from None
    if http is None:
        asyncio.run(_serve_stdio(url))
        return
    host, _, port = http.rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigurationError(f"--http: {http!r} is not HOST:PORT, such as 127.0.0.1:8090")
    import uvicorn

    uvicorn.run(http_app(url, host, allow_host or ()), host=host, port=int(port), log_level="warning")


def server_with(open_gateway: OpenGateway) -> Server[dict[str, Any]]:
    """The MCP server, which asks for a gateway with the key of each request."""
    from mcp import types
    from mcp.server.lowlevel import Server

    from gateway.cli.agent_tools import TOOLS, Picture, ToolRefusedError, input_schema, use_tool

    tools = [
        types.Tool(
            name=name,
            description=tool.help,
            input_schema=input_schema(tool),
            annotations=types.ToolAnnotations(
                read_only_hint=not tool.spends,
                destructive_hint=tool.spends,
                idempotent_hint=True,
                open_world_hint=tool.spends,
            ),
        )
        for name, tool in TOOLS.items()
    ]

    async def list_tools(_: Any, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools)

    async def call_tool(
        context: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        try:
            async with open_gateway(context) as gateway:
                found = await use_tool(gateway, params.name, params.arguments or {})
        except ToolRefusedError as refused:
            return _result(refused.answer, is_error=True)
        except ConfigurationError as error:
            return _result({"code": "unavailable", "detail": str(error)}, is_error=True)
        if isinstance(found, Picture):
            data = base64.b64encode(found.content).decode()
            return types.CallToolResult(content=[types.ImageContent(data=data, mime_type=found.content_type)])
        return _result(found)

    return Server(
        "esim-gateway",
        version=version("esim-gateway"),
        instructions=_INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def http_app(url: str, host: str, names: Sequence[str] = ()) -> Starlette:
    """The MCP server over streamable HTTP. Each request is made with the key that it carries.

    It serves requests for ``host`` and these further ``names`` alone, so that no page of a browser reaches it under
    another name.
    """
    from mcp.server.transport_security import TransportSecuritySettings

    from gateway.cli.agent_tools import ToolRefusedError

    @asynccontextmanager
    async def open_gateway(context: ServerRequestContext[Any, Any]) -> AsyncIterator[Gateway]:
        headers = {} if context.request is None else context.request.headers
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.isascii() or not key.isprintable():
            raise ToolRefusedError("unauthorized", "send the API key with each request, as Authorization: Bearer gw_…")
        async with gateway_at(url, key.strip()) as gateway:
            yield gateway

    hosts = [f"[{host}]" if ":" in host else host, *names, "localhost"]
    allowed = TransportSecuritySettings(
        allowed_hosts=[text for name in hosts for text in (name, f"{name}:*")],
        allowed_origins=[f"{scheme}://{name}" for name in names for scheme in ("http", "https")],
    )
    return server_with(open_gateway).streamable_http_app(
        streamable_http_path=PATH, json_response=True, stateless_http=True, host=host, transport_security=allowed
    )


async def _serve_stdio(url: str) -> None:
    from mcp.server.stdio import stdio_server

    key = os.environ.get(ENV_KEY)
    if not key:
        raise ConfigurationError(f"set {ENV_KEY} to a key with the scope storefront of {url}")
    async with gateway_at(url, key) as gateway, stdio_server() as (received, sent):
        server = server_with(lambda _: nullcontext(gateway))
        await server.run(received, sent, server.create_initialization_options())


def _result(content: dict[str, Any], *, is_error: bool = False) -> CallToolResult:
    """An answer as JSON text, and structured for clients that read that."""
    import msgspec
    from mcp import types

    text = types.TextContent(text=msgspec.json.encode(content).decode())
    return types.CallToolResult(content=[text], structured_content=content, is_error=is_error)
