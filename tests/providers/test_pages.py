"""Every example of the suppliers' pages: sent to the sandbox as it stands, and answered as the page answers it."""

import json
from collections import Counter

import pytest

from providers.simulator import SandboxWorld, sandbox_site, world_for
from tests.kit.receiver import receiving
from tests.providers import pages
from tests.providers.json_shape import differences
from tests.providers.page_calls import CALLS, LEFT_OUT, MANIFESTS, PageCall, json_example, request_of
from tests.providers.pages import BESIDE, PAGES, kept

EVERY = [pytest.param(name, call, id=f"{name} {call.name}") for name, calls in CALLS.items() for call in calls]
each_supplier = pytest.mark.parametrize("supplier", sorted(PAGES))
# What each page has: curl calls, and JSON outside of them.
COUNTED = {
    "bepaid.txt": (5, 4),
    "beppay.txt": (11, 11),
    "beppay-older.txt": (8, 8),
    "pikasim.txt": (0, 15),
    "s2s.txt": (0, 15),
}


class PageSandbox:
    """One supplier's sandbox, as it is when it starts but that it delivers at once."""

    def __init__(self, supplier, client):
        self.supplier = supplier
        self._client = client

    async def control(self, path, body=None):
        method = "GET" if body is None else "POST"
        async with self._client.request(method, f"/{self.supplier}/_sandbox/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def send(self, call):
        """The status and the body of a call, after those that it asks about."""
        for earlier in call.before:
            assert (await self.send(earlier))[0] == earlier.status
        esims = [] if self.supplier == "bepaid" else (await self.control("esims"))["esims"]
        iccid = esims[0]["iccid"] if esims else call.call.partition("/esim/")[2].partition("/")[0]
        if call.told is not None:
            await self.control(call.told[0].format(iccid=iccid), call.told[1])
        sent = request_of(self.supplier, call, iccid=iccid)
        async with self._client.request(
            sent.method, f"/{self.supplier}{sent.path}", headers=sent.headers, data=sent.body, allow_redirects=False
        ) as answer:
            body = await answer.read()
            return answer.status, json.loads(body) if body else None


@pytest.fixture
def open_sandbox(aiohttp_client):
    async def opened(supplier):
        manifest = {supplier: MANIFESTS[supplier]}
        world = SandboxWorld(()) if supplier == "bepaid" else world_for(manifest)
        sandbox = PageSandbox(supplier, await aiohttp_client(sandbox_site(world, manifest)))
        if supplier != "bepaid":
            await sandbox.control("till", {"delivery_seconds": 0})
        return sandbox

    return opened


@pytest.mark.parametrize(("supplier", "call"), EVERY)
async def test_the_page_s_example_is_accepted_as_it_stands_and_answered_in_its_shape(open_sandbox, supplier, call):
    status, answer = await (await open_sandbox(supplier)).send(call)
    assert status == call.status, answer
    if call.answer is not None:
        assert differences(json.loads(json_example(supplier, call.answer)), answer, call.beside) == []


@pytest.mark.parametrize("supplier", ["pikasim", "s2s"])
async def test_the_sandbox_notifies_in_the_shape_of_the_page(open_sandbox, supplier):
    sandbox = await open_sandbox(supplier)
    async with receiving() as hook:
        await sandbox.control("webhook", {"url": hook.url})
        order = json.loads(json_example(supplier, "new_order"))
        second = order | {name: "ANOTHER-1" for name in order if name.startswith("external")}
        await sandbox.send(PageCall("POST /orders", status=201, body="new_order"))
        await sandbox.send(PageCall("POST /orders", status=201, own=json.dumps(second).encode()))
        came = [json.loads(body) for _, body in await hook.until(2)]
    # Not every voucher says when it ends.
    assert [] in [differences(json.loads(json_example(supplier, "webhook")), body) for body in came]


def test_as_many_calls_are_sent_as_the_pages_have():
    sent = Counter(name for name, calls in CALLS.items() for call in calls if " " not in call.call)
    assert sent == {name: count for name in PAGES if (count := sum(COUNTED[page][0] for page in PAGES[name]))}
    assert sent.total() == 24


@each_supplier
def test_every_example_in_the_tree_is_sent_or_compared_or_left_out_with_a_reason(supplier):
    calls = {call.call for call in CALLS[supplier] if " " not in call.call}
    named = {name for call in CALLS[supplier] for name in (call.body, call.answer) if name is not None}
    assert calls == set(kept(supplier, "calls"))
    bodies = {name for name, text in kept(supplier, "page").items() if _is_a_body(supplier, text)}
    assert named | bodies | set(LEFT_OUT.get(supplier, {})) == set(kept(supplier, "page"))
    assert all(LEFT_OUT.get(supplier, {}).values())


@pytest.fixture
def text_of():
    """Reads a page. The examples are part of the tree; the pages are not, and may lie beside it."""
    if not BESIDE.exists():
        pytest.skip("the suppliers' pages do not lie beside this tree")
    return lambda page: (BESIDE / page).read_text("utf-8")


@pytest.mark.parametrize(("supplier", "page"), [(name, page) for name, names in PAGES.items() for page in names])
def test_every_example_of_the_page_is_in_the_tree_as_it_stands(text_of, supplier, page):
    calls, blocks = pages.calls_of(text_of(page)), pages.json_of(text_of(page))
    assert (len(calls), len(blocks)) == COUNTED[page]
    older = page == "beppay-older.txt"
    here = [call for name, call in kept(supplier, "calls").items() if name.startswith("older_") is older]
    assert Counter(calls) == Counter(here)
    assert set(blocks) <= set(kept(supplier, "page").values())


@each_supplier
def test_no_example_in_the_tree_differs_from_the_page(text_of, supplier):
    texts = [text_of(page) for page in PAGES[supplier]]
    examples = kept(supplier, "page") | kept(supplier, "calls")
    assert [name for name, example in examples.items() if not any(example in text for text in texts)] == []


def _is_a_body(supplier, text):
    """Whether a JSON example is what some curl example sends."""
    return any(text in call for call in kept(supplier, "calls").values())
