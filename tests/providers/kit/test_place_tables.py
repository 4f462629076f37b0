"""Every row of the tables that were labelled by hand, and what holds for all places."""

from __future__ import annotations

import pytest
from babel.localedata import locale_identifiers
from hypothesis import given
from hypothesis import strategies as st

from providers.beppay import mapping as beppay
from providers.kit import atlas, cldr_names, places, product_kinds
from providers.kit.places import Place
from providers.kit.spelling import key_of, tokens_of
from providers.kit.unmapped import Unmapped
from providers.s2s.sources import PRODUCT_NAME, terms_of_name
from tests.providers.kit import place_tables

NO_OPERATORS: tuple[str, ...] = ()
TEXTS = [
    *((text, NO_OPERATORS, label) for text, label in place_tables.BILINGUAL),
    *((text, NO_OPERATORS, label) for text, label in place_tables.BRACKETS),
    *((text, NO_OPERATORS, label) for text, label in place_tables.PARTS),
    *((text, NO_OPERATORS, "unknown") for text in place_tables.SHARED),
    *((text, NO_OPERATORS, "unknown") for text in place_tables.TYPOS),
    *place_tables.OPERATORS,
]
# Names of other languages that places.toml reads as something else: a city, a part, or nothing for certain.
DECIDED_BY_TABLE = {"samoa american", "bonaire", "svalbard", "england", "brasilia", "granada", "tunis", "guyane"}


def label_of(place: Place | None) -> str:
    place = place or places.place("")
    return " ".join(place.codes) or place.kind.value.replace("_", " ")


@pytest.mark.parametrize(("text", "operators", "label"), TEXTS)
def test_a_text_is_the_place_of_its_label(text: str, operators: tuple[str, ...], label: str) -> None:
    assert label_of(places.place(text, operators=frozenset(operators))) == label


@pytest.mark.parametrize(
    ("names", "codes", "label"), place_tables.TERRITORIES + place_tables.UNREADABLE + place_tables.LISTS
)
def test_names_beside_codes_are_the_coverage_of_their_label(names: str, codes: str, label: str) -> None:
    try:
        found = " ".join(beppay.coverage(names, codes))
    except Unmapped as why:
        found = why.reason.value
    assert found == label


@pytest.mark.parametrize(("code", "label"), place_tables.CODES)
def test_a_code_is_the_country_of_its_label(code: str, label: str | None) -> None:
    assert places.code_of(code) == label


@pytest.mark.parametrize(("name", "label"), place_tables.PLAN_NAMES)
def test_a_plan_s_name_names_the_place_of_its_label(name: str, label: str) -> None:
    assert label_of(terms_of_name(PRODUCT_NAME, name).place) == label


@pytest.mark.parametrize("name", place_tables.NOT_NEW)
def test_a_top_up_or_a_card_of_plastic_is_no_new_esim(name: str) -> None:
    assert product_kinds.other_kind(name)
    with pytest.raises(Unmapped) as caught:
        product_kinds.require_new_esim("Japan 5GB", name)
    assert caught.value.reason.value == "not_a_new_esim"


@pytest.mark.parametrize("name", place_tables.NEW + [name for name, _ in place_tables.PLAN_NAMES])
def test_an_esim_that_can_be_topped_up_is_a_new_one(name: str) -> None:
    assert product_kinds.other_kind(name) is None


# --- every language of CLDR -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def every_name() -> dict[str, set[str]]:
    """Each name of a territory in any language -> what it is called so."""
    named: dict[str, set[str]] = {}
    for language in locale_identifiers():
        for name, meaning in cldr_names.names(language):
            named.setdefault(name, set()).add(meaning)
    return named


@pytest.mark.no_cover  # other tests run the same lines
def test_every_territory_is_read_in_every_language_but_for_the_listed_spellings(every_name) -> None:
    listed = shared_spellings()
    wrong = {
        key_of(name)
        for name, meanings in every_name.items()
        if {label_of(places.place(name))} != meanings and not meanings <= listed.get(key_of(name), set())
    }
    assert len(every_name) > 35_000
    assert wrong == DECIDED_BY_TABLE


def test_a_listed_spelling_is_no_country_unless_a_first_language_or_the_table_says_which() -> None:
    decided = {
        key_of(name): meaning
        for language in reversed(("en", "ru", "de", "es", "fr"))
        for name, meaning in cldr_names.names(language)
    }
    wrong = {
        key: found
        for key in shared_spellings()
        if (found := label_of(places.place(key))) not in ("unknown", "region", "no country", decided.get(key))
    }
    assert wrong == {}


def test_the_table_of_names_is_what_the_installed_cldr_gives() -> None:
    assert cldr_names.FILE.read_text("utf-8") == cldr_names.text(), "run python -m providers.kit.cldr_names"


def test_every_country_has_an_alpha_3_code_that_means_it() -> None:
    codes = atlas.atlas().codes
    assert {codes[code] for code in codes if len(code) == 3} == set(places.country_codes())
    assert all(places.codes_in(f"{code},JPN") == tuple(sorted({codes[code], "JP"})) for code in codes)


def shared_spellings() -> dict[str, set[str]]:
    rows = [line.split("\t") for line in cldr_names.FILE.read_text("utf-8").splitlines() if line.startswith("shared")]
    return {key: set(meanings.split("|")) for _, key, meanings in rows}


# --- what holds for all places --------------------------------------------------------------------

codes = st.sets(st.sampled_from(places.country_codes()), max_size=5)


@given(codes, codes)
def test_codes_and_names_give_the_codes_the_names_or_a_contradiction(coded: set[str], named: set[str]) -> None:
    found = places.reconciled(coded, named)
    if found is None:
        assert coded
        assert named
        return
    assert found <= coded | named
    assert coded <= found
    assert not named or found <= named


@given(codes.filter(bool))
def test_equal_codes_and_names_are_themselves(some: set[str]) -> None:
    assert places.reconciled(some, some) == places.reconciled(some, ()) == places.reconciled((), some) == some


@given(st.sampled_from(sorted(atlas.atlas().state_of.items())))
def test_a_coded_territory_is_itself_beside_its_state_in_any_order(pair: tuple[str, str]) -> None:
    territory, state = pair
    names = [places.country_name(territory), places.country_name(state)]
    assert beppay.coverage(", ".join(names), territory) == (territory,)
    assert beppay.coverage(", ".join(reversed(names)), territory) == (territory,)
    assert places.reconciled({territory}, {state}) is None


@given(st.text(max_size=80), st.sampled_from(places.country_codes()))
def test_no_name_whatever_it_says_makes_a_coded_offer_another_country_s(name: str, code: str) -> None:
    try:
        found = beppay.coverage(name, code)
    except Unmapped:
        return
    assert code in found


@given(st.text(max_size=80))
def test_words_are_the_same_when_they_are_read_again(text: str) -> None:
    assert tokens_of(" ".join(tokens_of(text))) == tokens_of(text)


@given(st.sampled_from(places.country_codes()), st.sampled_from(["Blorptel", "Zing!", "eSIM+", "3.5 stars"]))
def test_a_bracket_that_says_nothing_changes_nothing(code: str, words: str) -> None:
    name = places.country_name(code)
    assert places.country(f"{name} ({words})") == code
    assert places.country(f"[{words}] {name}") == code
