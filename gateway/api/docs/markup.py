"""Markdown and code as HTML, with the headings and plain words of a page beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
from pygments.util import ClassNotFound  # type: ignore[import-untyped]

# Blocks of these languages that follow each other are one sample, of which a reader sees the language of their choice.
LANGUAGES: Mapping[str, str] = {"sh": "curl", "python": "Python", "typescript": "TypeScript"}
_LEXERS = {"sh": "bash"}
_DEEPEST_HEADING = 3
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")

Address = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a page, and where it stands."""

    level: int
    anchor: str
    title: str


@dataclass(frozen=True, slots=True)
class Section:
    """What stands below a heading, as plain words."""

    heading: Heading
    text: str


@dataclass(frozen=True, slots=True)
class Links:
    """Where the links of a text lead.

    ``of_href`` gives the address for one that is written in the text, ``of_code`` that for words of code which name an
    operation or an error code. None: no link.
    """

    of_href: Address
    of_code: Address


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text as HTML. ``title`` is its first heading."""

    html: Markup
    title: str
    sections: Sequence[Section]

    @property
    def headings(self) -> list[Heading]:
        """The headings below the title."""
        return [section.heading for section in self.sections[1:]]


def render(text: str, links: Links) -> Rendered:
    """A whole page of Markdown."""
    tokens = _parser().parse(text.replace("- [ ] ", "- ☐ "))
    _number_headings(tokens)
    sections = list(_sections(tokens))
    _address(tokens, links)
    html = Markup(_parser().renderer.render(_grouped(tokens), _parser().options, {}))  # noqa: S704 - texts of ours
    return Rendered(html, sections[0].heading.title, sections)


def inline(text: str, links: Links) -> Markup:
    """A sentence with words of code in it, as the descriptions of the API are written."""
    tokens = _parser().parseInline(text)
    _address(tokens, links)
    return Markup(_parser().renderer.render(tokens, _parser().options, {}))  # noqa: S704 - texts of ours


def block(text: str, links: Links) -> Markup:
    """Paragraphs and lists without headings of their own."""
    tokens = _parser().parse(text)
    _address(tokens, links)
    return Markup(_parser().renderer.render(tokens, _parser().options, {}))  # noqa: S704 - texts of ours


def code(source: str, language: str) -> Markup:
    """A block of code in colours. It scrolls, so it can be reached by keys."""
    body = _coloured(source.rstrip("\n"), language)
    return Markup('<div class="code"><pre tabindex="0"><code>{}</code></pre></div>').format(body)


def sample(blocks: Sequence[tuple[str, str]]) -> Markup:
    """The same in several languages: pairs of language and source. Without scripts all of them are shown."""
    parts = [
        Markup('<div class="sample" data-language="{}"><p class="caption">{}</p>{}</div>').format(
            LANGUAGES[language], LANGUAGES[language], code(source, language)
        )
        for language, source in blocks
    ]
    return Markup('<div class="samples">{}</div>').format(Markup("").join(parts))


def anchor_of(title: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return _NOT_IN_ANCHORS.sub("", title.lower()).replace(" ", "-")


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("table_open", lambda *_: '<div class="table" tabindex="0"><table>')
    parser.add_render_rule("table_close", lambda *_: "</table></div>")
    return parser


def _fence(_renderer: object, tokens: Sequence[Token], place: int, *_: object) -> str:
    return code(tokens[place].content, tokens[place].info.strip())


def _coloured(source: str, language: str) -> Markup:
    try:
        lexer = get_lexer_by_name(_LEXERS.get(language, language))
    except ClassNotFound:
        return escape(source)
    coloured = highlight(source, lexer, _formatter())
    return Markup(coloured.rstrip("\n"))  # noqa: S704 - escaped by the formatter


@cache
def _formatter() -> HtmlFormatter[str]:
    return HtmlFormatter(nowrap=True)


def _number_headings(tokens: Sequence[Token]) -> None:
    taken: set[str] = set()
    for opening, content in pairwise(tokens):
        if opening.type == "heading_open":
            anchor = base = anchor_of(_words(content))
            number = 0
            while anchor in taken:
                number += 1
                anchor = f"{base}-{number}"
            taken.add(anchor)
            opening.attrSet("id", anchor)


def _sections(tokens: Sequence[Token]) -> Iterator[Section]:
    heading: Heading | None = None
    texts: list[str] = []
    for place, token in enumerate(tokens):
        if token.type == "heading_open" and int(token.tag[1]) <= _DEEPEST_HEADING:
            if heading is not None:
                yield Section(heading, " ".join(texts))
            title = _words(tokens[place + 1])
            heading, texts = Heading(int(token.tag[1]), str(token.attrGet("id")), title), []
        elif token.type in {"inline", "fence"} and tokens[place - 1].type != "heading_open":
            texts.append(_words(token))
    if heading is not None:
        yield Section(heading, " ".join(texts))


def _words(token: Token) -> str:
    if token.children is None:
        return " ".join(token.content.split())
    return "".join(" " if child.type == "softbreak" else child.content for child in token.children)


def _address(tokens: Sequence[Token], links: Links) -> None:
    """Give links their addresses; words of code that name something become links."""
    for token in tokens:
        if token.children is not None:
            token.children = list(_addressed(token.children, links))


def _addressed(tokens: Sequence[Token], links: Links) -> Iterator[Token]:
    open_links: list[bool] = []  # whether each is kept
    for token in tokens:
        if token.type == "link_open":
            address = links.of_href(str(token.attrGet("href")))
            open_links.append(address is not None)
            if address is not None:
                token.attrSet("href", address)
                yield token
        elif token.type == "link_close":
            if open_links.pop():
                yield token
        elif token.type == "code_inline" and not open_links:
            yield from _named(token, links.of_code(token.content))
        else:
            if token.type == "image":
                token.attrSet("src", links.of_href(str(token.attrGet("src"))) or "")
            yield token


def _named(token: Token, address: str | None) -> Iterator[Token]:
    """Words of code, as a link where they name something."""
    if address is None:
        yield token
        return
    yield Token("link_open", "a", 1, attrs={"href": address})
    yield token
    yield Token("link_close", "a", -1)


def _grouped(tokens: Sequence[Token]) -> list[Token]:
    """The tokens, with blocks of several languages that follow each other made one sample."""
    made: list[Token] = []
    place = 0
    while place < len(tokens):
        run = [tokens[place]]
        while (
            run[-1].type == "fence"
            and place + len(run) < len(tokens)
            and tokens[place + len(run)].type == "fence"
            and tokens[place + len(run)].info not in {token.info for token in run}
        ):
            run.append(tokens[place + len(run)])
        if len(run) > 1 and all(token.info in LANGUAGES for token in run):
            whole = Token("html_block", "", 0)
            whole.content = sample([(token.info, token.content) for token in run])
            made.append(whole)
        else:
            made += run
        place += len(run)
    return made


def listed_links(text: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The links of each section of a page, as pairs of words and address, with the section's title."""
    group: str | None = None
    found: list[tuple[str, str]] = []
    tokens = _parser().parse(text)
    for before, token in pairwise(tokens):
        if before.type == "heading_open" and before.tag == "h2":
            if group is not None:
                yield group, found
            group, found = token.content, []
        elif token.type == "inline" and token.children is not None and group is not None:
            found += _links_in(token.children)
    if group is not None:
        yield group, found


def _links_in(tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    for place, token in enumerate(tokens):
        if token.type == "link_open":
            end = next(at for at in range(place, len(tokens)) if tokens[at].type == "link_close")
            yield "".join(inner.content for inner in tokens[place + 1 : end]), str(token.attrGet("href"))
