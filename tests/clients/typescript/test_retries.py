"""A TypeScript client that waits and sends again, and buys once."""

from pathlib import Path

from tests.clients.conftest import LIMIT_PER_MINUTE, PLAN
from tests.kit.node import run_node

PROGRAM = Path(__file__).with_name("retries.mts")


async def test_a_429_is_waited_for_and_an_order_whose_answer_was_lost_is_sent_again_and_bought_once(
    shop, url, proxy, unused_tcp_port
):
    proxy.drops = 2
    await run_node(
        PROGRAM,
        ESIM_GATEWAY_URL=url,
        ESIM_GATEWAY_KEY=shop.api.key,
        LIMITED_KEY=await shop.api.make_key("storefront", per_minute=LIMIT_PER_MINUTE),
        PROXY_URL=proxy.url,
        NOBODY_URL=f"http://127.0.0.1:{unused_tcp_port}",
        PLAN=PLAN,
    )
    lost, *others = proxy.keys
    assert others[:2] == [lost, lost]
    assert len(others) == 3
    assert others[2] != lost
    assert len(await shop.town.charges()) == 2
