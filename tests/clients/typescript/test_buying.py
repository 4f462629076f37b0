"""What a storefront does with the TypeScript client: find, quote, buy, look after the eSIM, page through its orders."""

import re
from pathlib import Path

from tests.clients.conftest import PLAN
from tests.kit.node import CLIENT, install_client, run_node

PROGRAM = Path(__file__).with_name("buying.mts")
PNG = b"\x89PNG\r\n"


async def test_esims_are_found_quoted_bought_and_looked_after(shop, url, tmp_path):
    readme = (CLIENT / "README.md").read_text("utf-8")
    first = tmp_path / "first.mts"
    first.write_text(re.search(r"```typescript\n(.+?)```", readme, re.DOTALL)[1], "utf-8")
    install_client(tmp_path)
    await run_node(
        PROGRAM,
        ESIM_GATEWAY_URL=url,
        ESIM_GATEWAY_KEY=shop.api.key,
        FOLDER=str(tmp_path),
        FIRST_ESIM=first.as_uri(),
        PLAN=PLAN,
    )
    assert (tmp_path / "esim.png").read_bytes().startswith(PNG)
    assert len(await shop.town.charges()) == 4
