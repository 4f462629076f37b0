"""The samples of the guides do what the guides say, in the order in which they stand there."""

import asyncio
import os
import subprocess
import sys

import pytest

from tests.kit.guide_samples import CLIENTS, GUIDES, RECEIVER, blocks

HOW_TOS = ("idempotency.md", "webhooks.md", "top-ups.md", "testing-failures.md", "going-live.md", "clients.md")


@pytest.mark.parametrize("guide", HOW_TOS)
async def test_a_how_to_s_python_runs(shop, guide, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names = {}
    for source in blocks(guide, "python"):
        await asyncio.to_thread(exec, source, names)
    names["gateway"].close()
    said = capsys.readouterr().out.splitlines()
    match guide:
        case "idempotency.md":
            assert said == ["fulfilled", "fulfilled"]
            assert len(await shop.town.charges()) == 1
        case "webhooks.md":
            assert names["endpoint"].secret.startswith("whsec_")
            assert names["receive"](b"{}", {}) == 401
        case "top-ups.md":
            assert said[-1] == "topup fulfilled"
        case "testing-failures.md":
            assert said[0].startswith("failed Failure(code='supplier_refused'")
            assert said[1].startswith("price_changed ")
            assert said[2].startswith("no plan covers BV")
        case "clients.md":
            assert names["order"].status == "fulfilled"
            assert said[0].startswith(names["order"].id)
            assert "the price is" in said[-1]


async def test_plans_that_fail_on_purpose_end_as_the_guide_says(shop):
    guide = (GUIDES / "testing-failures.md").read_text("utf-8")
    ends = {
        "bv-1gb-2d-06d3e3e4ddb9": "fulfilled",
        "bv-2gb-2d-1bdebb1d156c": "fulfilled",
        "bv-17gb-2d-49644845abeb": "failed",
        "bv-20gb-3d-8efeafa9e372": "needs_review",
    }

    async def end_of(plan):
        answer = await shop.order({"plan_id": plan}, wait=30)
        while (order := await answer.json())["status"] == "pending":
            answer = await shop.api.get(f"/v1/orders/{order['id']}", headers={"Prefer": "wait=30"})
        return order["status"]

    assert dict(zip(ends, await asyncio.gather(*map(end_of, ends)), strict=True)) == ends
    for plan, status in ends.items():
        (line,) = (line for line in guide.splitlines() if line.startswith(f"| `{plan}`"))
        assert ("deliver" if status == "fulfilled" else f"`{status}`") in line


@pytest.mark.parametrize("guide", HOW_TOS)
async def test_a_how_to_s_typescript_runs(shop, guide, typescript):
    program = typescript("\n".join(blocks(guide, "typescript")))
    said, _ = await asyncio.to_thread(program.communicate)
    assert program.returncode == 0, said
    if guide == "top-ups.md":
        assert said.splitlines()[-1] == "topup fulfilled"


def test_all_samples_of_the_guides_fit_the_client(tmp_path):
    """As mypy sees it, each guide's being one program."""
    programs = []
    for guide in sorted(GUIDES.glob("*.md")):
        sources = blocks(guide.name, "python")
        receivers = [source for source in sources if source.startswith(RECEIVER)]
        parts = {"": [source for source in sources if source not in receivers], "_receiver": receivers}
        for name, some in parts.items():
            if some:
                programs.append(tmp_path / f"{guide.stem.replace('-', '_')}{name}.py")
                programs[-1].write_text("\n".join(some))
    made = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), *map(str, programs)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"MYPYPATH": str(CLIENTS / "python")},
        cwd=tmp_path,
    )
    assert made.returncode == 0, made.stdout
