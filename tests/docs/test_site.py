"""The pages: every link leads somewhere, every sample calls what there is, and files are the same as what is served."""

import ast
import inspect
import re
from functools import cache
from html.parser import HTMLParser
from posixpath import dirname, join, normpath
from urllib.parse import unquote

import orjson
import pytest

from esim_gateway_client import Gateway, problems
from gateway.api.docs.samples import samples_of
from gateway.api.docs.site import OPERATORS, PARTS, STOREFRONTS, Site
from gateway.api.docs.static_site import write_site
from gateway.api.problems import KINDS
from gateway.app import documents

DOCUMENTS = {path: document.body for path, document in documents().items()}


class Read(HTMLParser):
    """The links, the anchors and the words of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors, self.loaded, self.words = [], set(), [], []
        self.feed(text)

    def handle_starttag(self, _tag, attributes):
        given = dict(attributes)
        self.anchors |= {given["id"]} if "id" in given else set()
        self.links += [given["href"]] if "href" in given else []
        self.loaded += [given["src"]] if "src" in given else []

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    write_site(folder, DOCUMENTS)
    return folder


@pytest.fixture(scope="module")
def pages(built):
    """What each file says, by its path."""
    return {file.relative_to(built).as_posix(): Read(file.read_text("utf-8")) for file in built.rglob("*.html")}


@cache
def site():
    return Site(DOCUMENTS)


@cache
def drawn(path):
    return site().draw(path)


def test_every_link_of_every_file_leads_to_a_file_and_its_anchor(built, pages):
    assert len(pages) > 80
    wrong = []
    for name, page in pages.items():
        for link in [*page.links, *page.loaded]:
            if link.startswith("https://"):
                continue
            path, _, anchor = link.partition("#")
            target = normpath(join(dirname(name), unquote(path.partition("?")[0]))) if path else name
            if not (built / target).is_file() or (anchor and anchor not in pages[target].anchors):
                wrong.append((name, link))
    assert not wrong


def test_no_page_loads_anything_from_elsewhere(pages):
    for name, page in pages.items():
        assert not [address for address in page.loaded if "//" in address], name


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.home)
def test_the_search_leads_to_pages_and_anchors_that_are_there(built, pages, part):
    rows = orjson.loads((built / part.home / "search.json").read_bytes())
    assert len(rows) > 100
    for _, _, address, _ in rows:
        path, _, anchor = address.partition("#")
        assert path in pages, address
        assert not anchor or anchor in pages[path].anchors, address


def test_each_part_has_its_own_operations():
    paths = site().paths
    assert {"docs/reference/orders", "docs-ops/reference/orders", "docs/guides/tutorial"} <= set(paths)
    assert b"/v1/quotes" in drawn("docs/reference/quotes")
    assert b'id="create_quote"' not in b"".join(drawn(path) for path in paths if path.startswith("docs-ops/"))


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.home)
def test_every_operation_stands_on_a_page_with_its_samples(part):
    described = orjson.loads(DOCUMENTS[part.document]())
    for path, methods in described["paths"].items():
        for operation in methods.values():
            if (tag := operation["tags"][0]) != "documentation":
                text = drawn(f"{part.home}/reference/{tag}").decode()
                assert f'id="{operation["operationId"]}"' in text, path


def test_the_python_samples_call_methods_that_the_client_has():
    reference = site().references[STOREFRONTS]
    with Gateway("http://127.0.0.1", "gw_test_x") as gateway:
        for operation in reference.operations:
            sources = dict(samples_of(operation, reference))
            if "python" not in sources:
                continue
            tree = ast.parse(sources["python"])
            (call,) = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_of_gateway(node))
            group, method = call.func.value.attr, call.func.attr
            signature = inspect.signature(getattr(getattr(gateway, group), method))
            signature.bind(*call.args, **{keyword.arg: None for keyword in call.keywords})


def _is_of_gateway(call):
    return isinstance(call.func, ast.Attribute) and ast.unparse(call.func).startswith("gateway.")


@pytest.mark.parametrize("code", KINDS)
def test_the_page_of_an_error_code_has_its_cause_its_cure_and_an_example(code):
    text = "".join(Read(drawn(f"errors/{code}").decode()).words)
    kind = KINDS[code]
    for sentence in (kind.title, kind.cause, kind.cure):
        assert re.sub("`", "", sentence) in text
    assert f'"code": "{code}"' in text
    assert problems.BY_CODE[code].__name__ in text


def test_pages_of_operators_are_searched_apart():
    found = {part: {row[0] for row in orjson.loads(site().search_index(part))} for part in PARTS}
    assert "Place an order" in found[STOREFRONTS]
    assert "Place an order" not in found[OPERATORS]
    assert set(KINDS) <= found[STOREFRONTS] & found[OPERATORS]
