"""All pages of the documentation: which there are, what stands on each, and where its links lead.

A page's path is its address without the first slash: ``docs/guides/tutorial`` is ``docs/guides/tutorial.md``,
``docs/reference/orders`` the operations with that tag, ``errors/no_stock`` an error code. Links are relative, so that
the pages work below any address.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import jinja2
import orjson

from gateway.api.client_names import problem_class
from gateway.api.docs import markup
from gateway.api.docs.markup import Heading, Links, Rendered
from gateway.api.docs.reference import Reference, call_of
from gateway.api.docs.samples import example_query, samples_of
from gateway.api.problems import KINDS, problem_example
from gateway.kit.static_files import StaticFiles

TEXTS = Path(__file__).parents[3] / "docs"
STATIC = StaticFiles("gateway.api.docs", "/docs/static/")
SEARCH = "search.json"
_ERRORS = "docs/errors"
_EVENTS = "docs/reference/events"
_PICTURES = frozenset({".png"})


@dataclass(frozen=True, slots=True)
class Part:
    """The documentation for one kind of reader: its first page is ``file``, which lists the others."""

    home: str
    name: str
    file: str
    document: str


STOREFRONTS = Part("docs", "Storefronts", "guides/index.md", "/openapi.json")
OPERATORS = Part("docs-ops", "Operators", "index.md", "/openapi-ops.json")
PARTS = (STOREFRONTS, OPERATORS)


@dataclass(frozen=True, slots=True)
class Entry:
    """A page in a list of pages."""

    title: str
    path: str


@dataclass(frozen=True, slots=True)
class Found:
    """What the search can find: its title, where it stands, its address and its text."""

    title: str
    where: str
    address: str
    text: str


@dataclass(frozen=True)
class Page:
    """A page before it is drawn: its template with what that shows."""

    part: Part
    path: str
    title: str
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    headings: Sequence[Heading] = ()
    is_wide: bool = False
    listed_at: str = ""  # the entry that it belongs to, where it has none of its own


class Site:
    """The pages, made of ``documents``: how to get the bytes of an OpenAPI document, by its path.

    ``ending`` is what the addresses of pages end with: ".html" where they are files.
    """

    def __init__(self, documents: Mapping[str, Callable[[], bytes]], ending: str = "") -> None:
        self._documents = documents
        self._ending = ending

    @cached_property
    def paths(self) -> list[str]:
        """All pages."""
        return [*self._makers]

    def draw(self, path: str) -> bytes:
        """A page as HTML. Raises ``KeyError`` where there is none."""
        page = self._makers[path](path)
        link = self._link_from(path)
        entries = [entry for _, group in self.navigation[page.part] for entry in group]
        context = {
            "title": page.title,
            "page": page,
            "parts": PARTS,
            "groups": self.navigation[page.part],
            "next": next((after for before, after in pairwise(entries) if before.path == path), None),
            "root": link("", "").rstrip("/"),
            "is_static": bool(self._ending),
            "link": link,
            "static": lambda name: link(f"docs/static/{STATIC.versioned(name)}", ""),
            **page.context,
        }
        return self._environment.get_template(page.template).render(context).encode()

    def search_index(self, part: Part) -> bytes:
        """What the search looks through, as JSON: rows of title, place, address and text."""
        rows = [
            (row.title, row.where, self._with_ending(row.address), " ".join(row.text.split()))
            for row in self._findable(part)
        ]
        return orjson.dumps(rows)

    def picture(self, path: str) -> bytes | None:
        """A picture that stands in the texts; None where there is none."""
        file = TEXTS / path.removeprefix("docs/")
        is_ours = file.suffix in _PICTURES and ".." not in file.parts and file.is_file()
        return file.read_bytes() if is_ours else None

    @cached_property
    def navigation(self) -> Mapping[Part, Sequence[tuple[str, Sequence[Entry]]]]:
        """The lists of pages of each part, in groups: those of its first page, then its operations."""
        return {part: [*self._listed(part), ("API", self._reference_entries(part))] for part in PARTS}

    @cached_property
    def references(self) -> Mapping[Part, Reference]:
        """The description of the API for each part."""
        return {part: Reference(orjson.loads(self._documents[part.document]())) for part in PARTS}

    @cached_property
    def _addresses(self) -> Mapping[str, str]:
        """Where each operation stands, by what names it in a text."""
        return {
            call: f"{_reference_path(part, operation.tag)}#{operation.id}"
            for part in reversed(PARTS)
            for call, operation in self.references[part].by_call.items()
        }

    @cached_property
    def _makers(self) -> Mapping[str, Callable[[str], Page]]:
        """How each page is made, by its path."""
        makers: dict[str, Callable[[str], Page]] = {part.home: self._guide for part in PARTS}
        for file in sorted(TEXTS.rglob("*.md")):
            makers[_path_of(file.relative_to(TEXTS).as_posix())] = self._guide
        for part, reference in self.references.items():
            makers |= {_reference_path(part, tag): self._operations for tag in reference.tags}
        makers |= {_EVENTS: self._events, _ERRORS: self._errors}
        return makers | {_error_path(code): self._error for code in KINDS}

    @cached_property
    def _environment(self) -> jinja2.Environment:
        return jinja2.Environment(
            loader=jinja2.PackageLoader("gateway.api.docs"),
            undefined=jinja2.StrictUndefined,
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def _listed(self, part: Part) -> Iterator[tuple[str, Sequence[Entry]]]:
        for group, links in markup.listed_links(_text(part.file)):
            entries = [
                Entry(_capitalized(title), path)
                for title, href in links
                if (path := _target(href, part.file).partition("#")[0]) and path != part.home and _is_page(path)
            ]
            if entries:
                yield group, entries

    def _reference_entries(self, part: Part) -> list[Entry]:
        entries = [
            Entry(tag.capitalize().replace("Esims", "eSIMs"), _reference_path(part, tag))
            for tag in self.references[part].tags
        ]
        if part is OPERATORS:
            return entries
        # The operation that lists events stands with them.
        kept = [entry for entry in entries if entry.path != _EVENTS]
        return [*kept, Entry("Events", _EVENTS), Entry("Error codes", _ERRORS)]

    def _part_of(self, path: str) -> Part:
        """Whom a page is for: storefronts where their part lists it."""
        if path == STOREFRONTS.home or path.startswith(("docs/reference/", "errors/")):
            return STOREFRONTS
        listed = {entry.path for _, group in self.navigation[STOREFRONTS] for entry in group}
        return STOREFRONTS if path in listed else OPERATORS

    def _link_from(self, at: str) -> Callable[..., str]:
        """Makes addresses of pages relative to the page ``at``."""

        def link(target: str, ending: str | None = None) -> str:
            to = target if ending is not None else self._with_ending(target)
            path, hash_, anchor = to.partition("#")
            folder, _, name = path.rpartition("/")
            relative = posixpath.relpath(folder or ".", posixpath.dirname(at) or ".")
            return f"{relative}/{name}{hash_}{anchor}"

        return link

    def _with_ending(self, target: str) -> str:
        path, hash_, anchor = target.partition("#")
        return f"{path}{self._ending}{hash_}{anchor}"

    def _links(self, at: str, file: str = "") -> Links:
        """Where links lead that stand on the page ``at``, in the text ``file``."""
        link = self._link_from(at)

        def of_href(href: str) -> str | None:
            if href.startswith(("#", "http://", "https://")):
                return href
            target = _target(href, file)
            path = target.partition("#")[0]
            if self.picture(path) is not None:
                return link(path, "")
            return link(target) if _is_page(path) else None

        def of_code(text: str) -> str | None:
            if "_" in text and text in KINDS:  # others are words of everyday
                return link(_error_path(text))
            target = self._addresses.get(call_of(text))
            return None if target is None else link(target)

        return Links(of_href, of_code)

    def _rendered(self, path: str) -> Rendered:
        file = _file_of(path)
        return markup.render(_text(file), self._links(path, file))

    def _guide(self, path: str) -> Page:
        rendered = self._rendered(path)
        return Page(
            part=self._part_of(path),
            path=path,
            title=rendered.title,
            template="guide.html",
            context={"body": rendered.html},
            headings=rendered.headings,
        )

    def _operations(self, path: str) -> Page:
        part = OPERATORS if path.startswith(f"{OPERATORS.home}/") else STOREFRONTS
        reference, tag = self.references[part], path.rpartition("/")[2]
        operations = reference.of_tag(tag)
        things = reference.things_of(operations)
        return Page(
            part=part,
            path=path,
            title=next(entry.title for entry in self._reference_entries(part) if entry.path == path),
            template="operations.html",
            context={
                **self._texts(path),
                "about": reference.tags[tag],
                "operations": operations,
                "things": things,
                "sample": lambda operation: markup.sample(samples_of(operation, reference)),
                "example_path": reference.example_path,
                "example_query": example_query,
                "may_try": lambda operation: part is STOREFRONTS or operation.method == "GET",
            },
            headings=[
                *(Heading(2, operation.id, operation.summary) for operation in operations),
                *(Heading(2, thing.name, f"The {thing.name} object") for thing in things),
            ],
            is_wide=True,
        )

    def _events(self, path: str) -> Page:
        page = self._operations(path)
        events = self.references[STOREFRONTS].events
        headings = [*page.headings, *(Heading(2, event.name, event.name) for event in events)]
        return replace(page, template="events.html", context={**page.context, "events": events}, headings=headings)

    def _errors(self, path: str) -> Page:
        return Page(STOREFRONTS, path, "Error codes", "errors.html", {**self._texts(path), "kinds": KINDS})

    def _error(self, path: str) -> Page:
        code = path.rpartition("/")[2]
        answered_by = [
            (operation, f"{_reference_path(part, operation.tag)}#{operation.id}")
            for part in PARTS
            for operation in self.references[part].operations
            if code in operation.problems
        ]
        context = {
            **self._texts(path),
            "code": code,
            "kind": KINDS[code],
            "example": problem_example(code),
            "problem_class": problem_class(code),
            "answered_by": answered_by,
        }
        return Page(STOREFRONTS, path, code, "error.html", context, listed_at=_ERRORS)

    def _texts(self, path: str) -> dict[str, Any]:
        """What templates write texts and code with."""
        links = self._links(path)
        return {
            "inline": lambda text: markup.inline(text, links),
            "block": lambda text: markup.block(text, links),
            "json": lambda value: markup.code(indented(value), "json"),
            "indented": indented,
            "error_path": _error_path,
        }

    def _findable(self, part: Part) -> Iterator[Found]:
        for code, kind in KINDS.items():
            yield Found(code, f"Error {kind.status}", _error_path(code), f"{kind.title}. {kind.cause} {kind.cure}")
        reference = self.references[part]
        for operation in reference.operations:
            address = f"{_reference_path(part, operation.tag)}#{operation.id}"
            yield Found(operation.summary, f"{operation.method} {operation.path}", address, operation.searchable)
        for event in reference.events:
            yield Found(event.name, "Event", f"{_EVENTS}#{event.name}", event.text)
        for path, maker in self._makers.items():
            if maker == self._guide and self._part_of(path) is part:
                rendered = self._rendered(path)
                for section in rendered.sections:
                    anchor = "" if section.heading.level == 1 else f"#{section.heading.anchor}"
                    yield Found(section.heading.title, rendered.title, f"{path}{anchor}", section.text)


def indented(value: Any) -> str:
    """A JSON value over several lines."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _text(file: str) -> str:
    return (TEXTS / file).read_text("utf-8")


def _path_of(file: str) -> str:
    """The path of the page that a text is."""
    for part in PARTS:
        if part.file == file:
            return part.home
    return f"docs/{file.removesuffix('.md')}"


def _file_of(path: str) -> str:
    for part in PARTS:
        if part.home == path:
            return part.file
    return f"{path.removeprefix('docs/')}.md"


def _is_page(path: str) -> bool:
    return path.startswith("docs") and (TEXTS / _file_of(path)).is_file()


def _target(href: str, file: str) -> str:
    """The path of what a text links to, with its anchor; a path outside of ``docs/`` where that is no page."""
    to, hash_, anchor = href.partition("#")
    whole = posixpath.normpath(posixpath.join("docs", posixpath.dirname(file), to))
    if whole.startswith("docs/") and whole.endswith(".md"):
        whole = _path_of(whole.removeprefix("docs/"))
    return f"{whole}{hash_}{anchor}"


def _capitalized(title: str) -> str:
    """A title with a capital in front, but for words like eSIM."""
    return title if title[1:2].isupper() else title[:1].upper() + title[1:]


def _reference_path(part: Part, tag: str) -> str:
    return f"{part.home}/reference/{tag}"


def _error_path(code: str) -> str:
    return f"errors/{code}"
