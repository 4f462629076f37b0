"""The walks of docs/architecture.md name files that run, in the order in which they are first entered."""

from __future__ import annotations

import re

from gateway.sync.run import run_sync
from tests.gateway.api.test_orders import GOOD
from tests.kit.call_trace import ROOT, CallTrace, traced_calls

ARCHITECTURE = ROOT / "docs" / "architecture.md"
FEWEST_FILES = 5
ANSWERED_AT_ONCE = GOOD["pikasim"]


def walk(title: str) -> list[str]:
    """The files that the numbered steps under a heading name, in order, as paths from the tree's root."""
    section = re.split(r"^## ", ARCHITECTURE.read_text("utf-8"), flags=re.MULTILINE)
    (text,) = [part for part in section if part.startswith(f"{title}\n")]
    steps = re.split(r"\n(?=\d+\. )", text)[1:]
    steps[-1] = steps[-1].split("\n\n")[0]
    named = re.findall(r"`([a-z_/]+\.py)`", "\n".join(steps))
    found = [name if name.startswith("providers/") else f"gateway/{name}" for name in named]
    for name in found:
        assert (ROOT / name).is_file(), f"{ARCHITECTURE.name} names {name}, which is no file"
    return found


def check(trace: CallTrace, title: str) -> None:
    """The trace enters what the walk names, in its order."""
    named = walk(title)
    assert len(named) >= FEWEST_FILES
    missing = [name for name in named if name not in trace.files]
    assert not missing, "\n".join(["not entered:", *missing, "entered:", *trace.files])
    places = [trace.files.index(name) for name in named]
    in_order = [name for _, name in sorted(zip(places, named, strict=True))]
    assert in_order == named, "\n".join(["entered in this order:", *in_order])


async def test_an_order_runs_through_the_files_of_its_walk(shop):
    body = {"plan_id": ANSWERED_AT_ONCE}
    await shop.order(body, "first")  # what is read once and remembered is no part of the walk
    with traced_calls() as trace:
        answer = await shop.order(body, "second")
    assert (answer.status, (await answer.json())["status"]) == (201, "fulfilled")
    check(trace, "An order")


async def test_a_query_runs_through_the_files_of_its_walk(api):
    await api.get("/v1/plans?limit=1")  # now the key is known
    with traced_calls() as trace:
        answer = await api.get("/v1/plans?country=FR&limit=3")
    assert answer.status == 200
    check(trace, "A query")


async def test_a_sync_runs_through_the_files_of_its_walk(counter):
    deps = counter.deps
    with traced_calls() as trace:
        await run_sync(deps.pool, deps.accounts, deps.settings, only=["s2s"])
    check(trace, "A sync")
