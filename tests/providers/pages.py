"""The suppliers' pages: their examples as they stand in this tree, and as they stand on the pages.

``<provider>/page/*.txt`` are the page's JSON, ``<provider>/calls/*.txt`` its curl calls. Nothing in them was changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
BESIDE = Path(__file__).parents[3] / "shared" / "suppliers"
PAGES = {
    "bepaid": ("bepaid.txt",),
    "beppay": ("beppay.txt", "beppay-older.txt"),
    "pikasim": ("pikasim.txt",),
    "s2s": ("s2s.txt",),
}
_CALL = re.compile(r"^curl .*?(?=\n(?:Response|Request example))", re.MULTILINE | re.DOTALL)
_OPENS, _CLOSES = "{[", "}]"


def kept(supplier: str, folder: str) -> dict[str, str]:
    """The examples of a supplier's page in this tree, by the names of their files."""
    return {path.stem: path.read_text("utf-8").strip("\n") for path in sorted((HERE / supplier / folder).glob("*.txt"))}


def calls_of(page: str) -> list[str]:
    """The curl calls of a page, in its order."""
    return _CALL.findall(page)


def json_of(page: str) -> list[str]:
    """The JSON of a page outside of its curl calls, in its order: objects and lists of objects, the outermost ones."""
    return [block for block in _blocks(_CALL.sub("", page)) if re.match(r'[{\[]\s*(?:- )?["{]', block)]


def _blocks(text: str) -> Iterator[str]:
    """Everything in brackets that match, the outermost ones; a bracket in quotes is none."""
    depth, start, quoted = 0, 0, False
    for at, character in enumerate(text):
        if character == '"' and depth:
            quoted = not quoted
        elif quoted:
            continue
        elif character in _OPENS:
            if depth == 0:
                start = at
            depth += 1
        elif character in _CLOSES and depth:
            depth -= 1
            if depth == 0:
                yield text[start : at + 1]
