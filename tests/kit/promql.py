"""PromQL read as far as its names go: which series an expression selects, and by which labels it groups.

It is strict: whatever it does not know is a ``ValueError``, so that a name that is misspelt is never passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<text>\"(?:[^\"\\]|\\.)*\")|(?P<variable>\$\w+)|(?P<duration>\d+(?:ms|[smhdwy]))"
    r"|(?P<number>\d+(?:\.\d+)?)|(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)"
    r"|(?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^<>=(){}\[\],])"
)
_MATCHER = re.compile(r'(?P<label>[a-zA-Z_]\w*)(?P<sign>=~|!~|!=|=)"(?P<value>(?:[^"\\]|\\.)*)"')
_AGGREGATIONS = frozenset({"sum", "min", "max", "avg", "count", "topk", "bottomk"})
_FUNCTIONS = frozenset({"rate", "increase", "delta", "time", "absent", "histogram_quantile", "clamp_min", "vector"})
_GROUPINGS = frozenset({"by", "without", "on", "ignoring"})
_WORDS = frozenset({"and", "or", "unless", "bool", "offset"})


@dataclass(frozen=True)
class Selector:
    """The series that a part of an expression reads: (label, sign, value) are its conditions."""

    name: str
    matchers: tuple[tuple[str, str, str], ...] = ()

    @property
    def labels(self) -> set[str]:
        return {label for label, _, _ in self.matchers}

    def takes(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether it selects a sample."""
        return name == self.name and all(_holds(labels.get(label, ""), *rest) for label, *rest in self.matchers)


@dataclass(frozen=True)
class Expression:
    """``grouped`` are the labels of ``by``, ``on`` and their like."""

    selectors: tuple[Selector, ...]
    grouped: frozenset[str] = field(default=frozenset())


def parse(text: str) -> Expression:
    """The names of an expression. Raises ``ValueError`` for whatever this does not know."""
    tokens = _Tokens(text)
    selectors: list[Selector] = []
    grouped: set[str] = set()
    while (token := tokens.take()) is not None:
        kind, word = token
        if kind == "name":
            if word in _GROUPINGS:
                grouped |= tokens.labels()
            elif word not in _AGGREGATIONS | _WORDS and not tokens.call_of(word):
                selectors.append(Selector(word, tokens.matchers()))
        elif word == "[":
            tokens.span()
        elif kind in {"text", "variable"} or word in {"{", "}", "]"}:
            raise ValueError(f"unknown: {word} in {text}")
    if not selectors:
        raise ValueError(f"it reads nothing: {text}")
    return Expression(tuple(selectors), frozenset(grouped))


class _Tokens:
    """The words and signs of an expression, from the first to the last."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._place = 0

    def take(self) -> tuple[str, str] | None:
        """The next one; None at the end."""
        if self._place == len(self._tokens):
            return None
        self._place += 1
        return self._tokens[self._place - 1]

    def labels(self) -> set[str]:
        """The labels in round brackets."""
        if not self._next_is("("):
            raise ValueError(f"labels without brackets: {self._text}")
        inside = self._inside(")")
        if any(kind != "name" and word != "," for kind, word in inside):
            raise ValueError(f"no list of labels: {inside} in {self._text}")
        return {word for kind, word in inside if kind == "name"}

    def call_of(self, function: str) -> bool:
        """Whether a function is called here; an unknown one may not be."""
        called = self._next_is("(")
        if called and function not in _FUNCTIONS:
            raise ValueError(f"no function {function}: {self._text}")
        return called

    def matchers(self) -> tuple[tuple[str, str, str], ...]:
        """The conditions in curly brackets, where there are some."""
        if not self._next_is("{"):
            return ()
        written = "".join(word for _, word in self._inside("}"))
        found = []
        for part in re.split(r",(?=[a-zA-Z_]\w*[=!])", written):
            matcher = _MATCHER.fullmatch(part)
            if matcher is None:
                raise ValueError(f"no condition on a label: {part} in {self._text}")
            found.append((matcher["label"], matcher["sign"], matcher["value"]))
        return tuple(found)

    def span(self) -> None:
        """A stretch of time, after its opening bracket."""
        inside = self._inside("]")
        if len(inside) != 1 or (inside[0][0] != "duration" and inside[0][1] != "$__rate_interval"):
            raise ValueError(f"no stretch of time: {inside} in {self._text}")

    def _next_is(self, sign: str) -> bool:
        if self._place == len(self._tokens) or self._tokens[self._place][1] != sign:
            return False
        self._place += 1
        return True

    def _inside(self, end: str) -> list[tuple[str, str]]:
        found = []
        while (token := self.take()) is not None:
            if token[1] == end:
                return found
            found.append(token)
        raise ValueError(f"{end} is missing: {self._text}")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    end = 0
    for found in [*_TOKEN.finditer(text), None]:
        start = len(text) if found is None else found.start()
        if start != end:
            raise ValueError(f"unknown: {text[end:start]} in {text}")
        if found is not None:
            end = found.end()
            if found.lastgroup != "space":
                yield str(found.lastgroup), found[0]


def _holds(value: str, sign: str, wanted: str) -> bool:
    same = re.fullmatch(wanted, value) is not None if "~" in sign else value == wanted
    return same != sign.startswith("!")
