"""``esim-gateway webhooks``: events of a storefront at the machine of who writes it, which needs no public address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    import aiohttp

    from gateway.cli.operation_client import Gateway

PAUSE_SECONDS = 1.0
TIMEOUT_SECONDS = 15.0  # as long as a receiver of real deliveries may take
_A_PAGE = 50

app = typer.Typer(help="Webhooks while a storefront is developed.", no_args_is_help=True)
app.callback()(lambda: None)


@app.command()
def listen(
    forward: Annotated[str, typer.Option(help="Where events are sent, such as http://localhost:3000/webhooks.")],
    secret: Annotated[
        str | None, typer.Option(help="The secret that they are signed with, whsec_…; a new one by default.")
    ] = None,
) -> None:
    """Forward the events of your storefront to a URL, signed like webhooks, until it is stopped.

    Follows **GET /v1/events** of the gateway that GATEWAY_URL names, with the key in GATEWAY_KEY, from now on. Each
    event is sent once, whatever is answered. plan.price_changed and plan.out_of_stock exist only where a webhook
    endpoint asks for them.
    """
    from gateway.cli.operation_client import run_as_storefront
    from gateway.webhooks.endpoints import new_secret

    parts = urlsplit(forward)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(f"--forward: {forward!r} is no URL such as http://localhost:3000/webhooks")
    signing = secret or new_secret()
    print(f"Signing secret: {signing}", flush=True)
    try:
        run_as_storefront(lambda gateway: forward_events(gateway, forward, signing, _print_line))
    except KeyboardInterrupt:
        return


async def forward_events(gateway: Gateway, url: str, secret: str, show: Callable[[str], None]) -> None:
    """Send each event that comes from now on to a URL, the oldest first, and show a line of each; without end.

    Raises ``ConfigurationError`` where the first look at the events fails; later ones are shown and tried again.
    """
    import aiohttp

    known = {event["id"] for event in await _unknown(gateway, None)}
    show(f"Events from now on go to {url}. Ctrl+C ends it.")
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)) as session:
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            try:
                fresh = await _unknown(gateway, known)
            except ConfigurationError as error:
                show(str(error))
                continue
            for event in reversed(fresh):
                show(f"{event['type']}  {event['id']}  {await _sent(session, url, secret, event)}")
                known.add(event["id"])


async def _unknown(gateway: Gateway, known: set[str] | None) -> list[dict[str, Any]]:
    """The events that are not known, the newest first; the newest page where none is yet.

    An event may come to be listed behind a newer one, so the whole of a page is looked through.
    """
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = await gateway.call("webhooks.list_events", limit=_A_PAGE, cursor=cursor)
        fresh = [event for event in page["data"] if known is None or event["id"] not in known]
        found += fresh
        cursor = page["next_cursor"]
        if known is None or cursor is None or len(fresh) < len(page["data"]):
            return found


async def _sent(session: aiohttp.ClientSession, url: str, secret: str, event: dict[str, Any]) -> str:
    """What came of sending an event, in a few words."""
    import aiohttp
    import msgspec

    from gateway.webhooks.deliver import signed

    body = msgspec.json.encode(event)
    headers = signed(event["id"], body, [secret], datetime.now(UTC))
    began = monotonic()
    try:
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            await answer.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"no answer: {str(error) or type(error).__name__}"
    return f"{answer.status} in {(monotonic() - began) * 1000:.0f} ms"


def _print_line(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S}  {line}", flush=True)
