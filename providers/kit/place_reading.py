"""How a text is read as a place: whole, then cut into whole names, then without what says nothing of a place."""

from __future__ import annotations

import re
from enum import IntEnum

import msgspec

from providers.kit import atlas
from providers.kit.atlas import NO_COUNTRY, REGION, UNKNOWN, Atlas, Place, PlaceKind
from providers.kit.spelling import AND, LIST_MARK, key_of, tokens_of, without_marks

_MAX_WORDS = 12  # of one name
_MAX_OPERATOR_WORDS = 4
_CODE = re.compile(r"\b[A-Z]{2,3}\b")
_BRACKET = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")


class _Part(msgspec.Struct, frozen=True):
    """A piece of a text that was understood; ``loose`` when only space parts it from a country before it."""

    place: Place
    loose: bool
    qualifier: bool = False


class _Tie(IntEnum):
    """What stands right before a word: a separator or nothing, a country, or one that stands only alone."""

    NONE = 0
    COUNTRY = 1
    ALONE = 2


def read(text: str, known: Atlas, operators: frozenset[str]) -> Place:
    """The text whole, then cut into whole names, then without operators, then without brackets that say nothing."""
    tokens = tokens_of(text)
    key = without_marks(tokens)
    whole = None if key in known.shared else known.meanings.get(key)
    if found := _as_codes(text, known) or whole or _as_owned(text, known):
        return found
    if key in known.shared:
        return UNKNOWN
    kept = tokens
    if (parts := _parts(tokens, known)) is None:
        kept = _without_operators(tokens, known, operators)
        parts = _parts(kept, known) if kept != tokens else None
    if parts is not None:
        return _together(parts, known)
    if _BRACKET.search(text) and (found := _without_brackets(text, known, operators)).codes:
        return found
    if len(kept) > 1 and kept[-1] == "city":  # "Mexico City": a city, whatever its country
        return NO_COUNTRY
    return REGION if _names_region(tokens, known) else UNKNOWN


def _as_codes(text: str, known: Atlas) -> Place | None:
    codes = re.split(r"[\s,;/|+&]+", text.strip())
    return _listed(codes) if all(code in known.names for code in codes) else None


def _as_owned(text: str, known: Atlas) -> Place | None:
    """What "Hong Kong (China)" is: brackets list nothing, they say whose the place is; None for other brackets."""
    inside = _BRACKET.findall(text)
    if len(inside) != 1:
        return None
    outside = _BRACKET.sub(" ", text)
    name, state = (known.meanings.get(key_of(part), UNKNOWN) for part in (outside, "".join(inside[0])))
    if not name.codes or not state.codes or name == state:
        return None
    return name if known.state_of.get(name.codes[0]) == state.codes[0] else UNKNOWN


def _without_brackets(text: str, known: Atlas, operators: frozenset[str]) -> Place:
    """What stands outside of the brackets, where none of them says anything of a place."""
    rest = _BRACKET.sub(" ", text)
    if _BRACKET.search(rest):  # brackets in brackets are no plan's name
        return UNKNOWN
    outside = read(rest, known, operators)
    inside = ("".join(groups) for groups in _BRACKET.findall(text))
    return outside if all(_says_nothing(each, outside, known) for each in inside) else UNKNOWN


def _says_nothing(inside: str, outside: Place, known: Atlas) -> bool:
    """Whether a bracket holds no other code, no place, no word for a part, and no word of another place's name."""
    codes = [code for code in _CODE.findall(inside) if code in known.names or code in known.codes]
    tokens = [word for word in tokens_of(_CODE.sub(" ", inside) if codes else inside) if word != LIST_MARK]
    if {known.codes.get(code, code) for code in codes} - {*outside.codes} or _places_in(tokens, known):
        return False
    names = atlas.name_words()
    return all(word not in known.parts and names.get(word, outside) == outside for word in tokens)


def _without_operators(tokens: list[str], known: Atlas, operators: frozenset[str]) -> list[str]:
    """The words without the names of operators that stand behind a country of theirs."""
    kept: list[str] = []
    at = 0
    while at < len(tokens):
        ends = range(min(len(tokens), at + _MAX_OPERATOR_WORDS), at, -1)
        code = _last_country(kept, known) if kept else None
        end = next((end for end in ends if code and _is_operator(tokens[at:end], code, known, operators)), None)
        if end is None:
            kept.append(tokens[at])
        at = end or at + 1
    return kept


def _is_operator(tokens: list[str], code: str, known: Atlas, operators: frozenset[str]) -> bool:
    key = without_marks(tokens)
    return LIST_MARK not in (tokens[0], tokens[-1]) and (key in operators or code in known.operators.get(key, ()))


def _last_country(tokens: list[str], known: Atlas) -> str | None:
    """The country whose name these words end with."""
    end = len(tokens) - 1 if tokens[-1] == LIST_MARK else len(tokens)
    for start in range(max(0, end - _MAX_WORDS), end):
        found = known.meanings.get(without_marks(tokens[start:end]))
        if found is not None and found.kind is PlaceKind.COUNTRY:
            return found.codes[0]
    return None


def _together(parts: list[_Part], known: Atlas) -> Place:
    """What the parts of a text are as a whole, each of them being known."""
    kinds = {part.place.kind for part in parts}
    if PlaceKind.NO_COUNTRY in kinds:
        return NO_COUNTRY
    if PlaceKind.REGION in kinds:
        return REGION
    if not parts or any(part.qualifier for part in parts):
        return UNKNOWN
    codes = [part.place.codes[0] for part in parts]
    if len(codes) == 2 and parts[1].loose and known.state_of.get(codes[0]) == codes[1]:  # noqa: PLR2004 - a pair
        return _listed(codes[:1])
    return _listed(codes)


def _parts(tokens: list[str], known: Atlas) -> list[_Part] | None:
    """The text cut into known names without a rest, the longest first; None when that cannot be.

    Worked from the end: ``ends[start, tie]`` is where the first name from ``start`` on ends if all the
    rest can be cut too.
    """
    ends: dict[tuple[int, _Tie], int] = {(len(tokens), tie): len(tokens) for tie in _Tie}
    for start in reversed(range(len(tokens))):
        for tie in _Tie:
            if tokens[start] in (LIST_MARK, AND):
                if (start + 1, _Tie.NONE) in ends:
                    ends[start, tie] = start + 1
                continue
            for end in range(min(len(tokens), start + _MAX_WORDS), start, -1):
                found = _part(tokens[start:end], tie, known)
                if found is not None and (end, found[1]) in ends:
                    ends[start, tie] = end
                    break
    parts: list[_Part] = []
    start, tie = 0, _Tie.NONE
    while start < len(tokens):
        if (start, tie) not in ends:
            return None
        end = ends[start, tie]
        found = _part(tokens[start:end], tie, known)
        if found is not None:
            parts.append(found[0])
        start, tie = end, _Tie.NONE if found is None else found[1]
    return parts


def _part(tokens: list[str], tie: _Tie, known: Atlas) -> tuple[_Part, _Tie] | None:
    """These words as one name behind ``tie``, and the tie for what follows; None when they are none."""
    if tokens[0] in (LIST_MARK, AND) or tokens[-1] in (LIST_MARK, AND):
        return None
    key = without_marks(tokens)
    if key in known.qualifiers:
        return _Part(UNKNOWN, loose=False, qualifier=True), _Tie.NONE
    found = known.meanings.get(key)
    if found is None or found.kind is not PlaceKind.COUNTRY:
        return None if found is None else (_Part(found, loose=False), _Tie.NONE)
    alone = key in known.alone
    if tie is _Tie.ALONE or (tie is _Tie.COUNTRY and alone):
        return None
    return _Part(found, loose=tie is not _Tie.NONE), _Tie.ALONE if alone else _Tie.COUNTRY


def _names_region(tokens: list[str], known: Atlas) -> bool:
    """Whether a region's name stands anywhere: other words make it a product of that region at most."""
    return any(found.kind is PlaceKind.REGION for found in _places_in(tokens, known))


def _places_in(tokens: list[str], known: Atlas) -> list[Place]:
    """Every place whose name stands anywhere among these words."""
    spans = (
        without_marks(tokens[start:end])
        for start in range(len(tokens))
        for end in range(start + 1, min(len(tokens), start + _MAX_WORDS) + 1)
    )
    return [known.meanings[key] for key in spans if key in known.meanings]


def _listed(codes: list[str]) -> Place:
    unique = tuple(sorted(set(codes)))
    return Place(PlaceKind.COUNTRY if len(unique) == 1 else PlaceKind.COUNTRIES, unique)
