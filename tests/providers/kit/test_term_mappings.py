"""What people tell of words: what it may be, how mappings use it, and how it is written into a file and read again."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from providers.beppay import mapping as beppay
from providers.kit import durations, places, plan_names
from providers.kit.mapping_overrides import MappingOverrides
from providers.kit.places import PlaceKind
from providers.kit.term_mappings import (
    TermMapping,
    TermMappingError,
    as_toml,
    checked,
    overrides_of,
    read_toml,
    shipped,
)
from providers.pikasim import mapping as pikasim
from providers.s2s import mapping as s2s
from providers.s2s import wire
from providers.s2s.sources import AttributeCodes
from schemas.errors import ConfigurationError
from schemas.money import Money
from schemas.plan import About, Offer, SetAside, SetAsideReason


def meaning(word: str, means: str, about: About = About.PLACE, provider: str = "pikasim") -> TermMapping:
    return checked(TermMapping(about=about, word=word, means=means, provider=provider))


def known(*meanings: TermMapping, provider: str = "pikasim") -> MappingOverrides:
    found = overrides_of(meanings, provider)
    assert found is not None
    return found


ASIA = meaning("Asia Pacific 3", "AU,hk jp")
BALI = meaning("Bali City", "ID")
FORTNIGHT = meaning("fortnights", "14", About.UNIT, "")


def test_a_meaning_is_brought_into_one_way_of_writing():
    assert ASIA.means == "AU HK JP"
    assert FORTNIGHT.key == meaning("FORTNIGHT", "14", About.UNIT).key
    assert meaning("hours", " 1/24 ", About.UNIT).means == "1/24"
    assert meaning("The Bali  City", "id").key == BALI.key


@pytest.mark.parametrize(
    ("word", "means", "about", "provider", "field"),
    [
        ("Narnia", "", About.PLACE, "", "means"),
        ("Narnia", "XX", About.PLACE, "", "means"),
        ("Narnia", "DE FR", About.PLACE, "", "provider"),  # a region's list is one provider's own
        ("Japan", "KR", About.PLACE, "pikasim", "word"),  # it is understood already
        ("JP KR", "FR", About.PLACE, "pikasim", "word"),
        ("!!!", "JP", About.PLACE, "pikasim", "word"),
        ("Bali\u202e", "ID", About.PLACE, "pikasim", "word"),
        ("x" * 300, "ID", About.PLACE, "pikasim", "word"),
        ("DAY", "2", About.UNIT, "", "word"),
        ("months", "31", About.UNIT, "", "word"),
        ("2 weeks", "14", About.UNIT, "", "word"),
        ("week", "-7", About.UNIT, "", "means"),
        ("week", "1/0", About.UNIT, "", "means"),
        ("week", "seven", About.UNIT, "", "means"),
        ("eon", "400000", About.UNIT, "", "means"),
        ("volume", "price", About.ATTRIBUTE, "s2s", "means"),
        ("volume", "data", About.ATTRIBUTE, "", "provider"),
        ("9", "total", About.DATA_TYPE, "pikasim", "about"),
    ],
)
def test_what_cannot_be_told_says_which_field_is_wrong(word, means, about, provider, field):
    with pytest.raises(TermMappingError) as caught:
        meaning(word, means, about, provider)
    assert caught.value.field == field


def test_a_provider_s_own_word_goes_before_every_provider_s_and_the_later_before_the_earlier():
    everywhere = meaning("Bali City", "SG", provider="")
    assert known(BALI, everywhere).countries == {"bali city": "ID"}
    assert known(BALI, everywhere, provider="beppay").countries == {"bali city": "SG"}
    assert known(BALI, meaning("bali city", "MY")).countries == {"bali city": "MY"}
    assert overrides_of([BALI], "beppay") is None


def test_an_account_s_own_word_goes_before_its_provider_s_whichever_came_later():
    own = checked(msgspec.structs.replace(BALI, means="MY", supplier="second"))
    for meanings in ([own, BALI], [BALI, own]):
        assert overrides_of(meanings, "pikasim", "second").countries == {"bali city": "MY"}
        assert overrides_of(meanings, "pikasim", "first").countries == {"bali city": "ID"}
    assert overrides_of([own], "pikasim", "first") is None
    assert overrides_of([own], "beppay", "second") is None


def test_an_account_s_own_word_names_its_provider():
    with pytest.raises(TermMappingError, match="provider") as caught:
        checked(TermMapping(about=About.UNIT, word="week", means="7", supplier="second"))
    assert caught.value.field == "provider"


def test_what_says_the_same_is_equal_and_what_says_otherwise_is_not():
    assert known(BALI, ASIA) == known(ASIA, BALI)
    assert hash(known(BALI)) == hash(known(BALI))
    assert known(BALI) != known(meaning("Bali City", "SG"))


def test_places_are_read_with_what_was_told_and_without_it_as_before():
    with_it = known(BALI, ASIA)
    assert places.place("bali CITY", with_it).codes == ("ID",)
    assert places.place("Japan, Bali City", with_it).codes == ("ID", "JP")
    assert places.place("Bali City").kind is PlaceKind.NO_COUNTRY
    assert places.place("Asia Pacific 3", with_it).kind is PlaceKind.REGION
    assert places.supplier_region("pikasim", "asia pacific 3", with_it) == ("AU", "HK", "JP")
    assert places.supplier_region("pikasim", "Asia Pacific 3") is None


@pytest.mark.parametrize(
    ("number", "unit", "days"), [(2, "fortnights", 28), ("1", "FORTNIGHT", 14), (48, "hour", 4), (1, "MONTHS", 30)]
)
def test_units_count_what_was_told_also_before_the_tables(number, unit, days):
    with_it = {"FORTNIGHT": Fraction(14), "HOUR": Fraction(1, 12)}
    assert durations.days(number, unit, with_it) == days


def test_what_is_left_over_of_a_day_is_rounded_down():
    assert durations.days(25, "hours", {"HOUR": Fraction(1, 24)}) == 1
    assert durations.days(23, "hours", {"HOUR": Fraction(1, 24)}) is SetAsideReason.NO_VALIDITY


def test_names_are_read_with_units_that_were_told():
    assert plan_names.parse("Japan 5GB 2 fortnights", known(FORTNIGHT)).days == 28
    assert plan_names.parse("Japan 5GB 3 viikko", known(meaning("viikko", "7", About.UNIT))).days == 21
    assert plan_names.parse("Japan 5GB 2 fortnights").days is None


def test_pikasim_maps_by_what_was_told_and_says_before_which_word_it_was():
    package: dict[str, Any] = {
        "packageCode": "B5", "name": "Bali 5GB", "price": 550, "volume": 5 * 2**30, "dataType": 1, "duration": 1,
        "durationUnit": "FORTNIGHT", "location": "Bali City",
    }  # fmt: skip

    def item(*meanings: TermMapping) -> Any:
        return pikasim.item(Raw(msgspec.json.encode(package)), overrides_of(meanings, "pikasim"))

    aside = item()
    assert isinstance(aside, SetAside)
    assert (aside.about, aside.words, aside.cost) == (About.UNIT, ("FORTNIGHT",), Money.of("5.5", "USD"))
    aside = item(FORTNIGHT)
    assert (aside.about, aside.words) == (About.PLACE, ("Bali City",))
    offer = item(FORTNIGHT, BALI)
    assert (offer.coverage, offer.validity.days) == (("ID",), 14)
    package |= {"location": "Asia Pacific 3", "region": "Asia Pacific 3"}
    assert item(FORTNIGHT).words == ("Asia Pacific 3",)
    assert item(FORTNIGHT, ASIA).coverage == ("AU", "HK", "JP")


def test_beppay_maps_by_what_was_told():
    plan = {
        "plan_id": "p1", "name": "Trip", "days": "1 fortnight", "price": "9.90", "data": "5GB",
        "countries_included": "Japan, Asia Pacific 3", "countryIso2": "",
    }  # fmt: skip
    own = [FORTNIGHT, meaning("Asia Pacific 3", "AU HK", provider="beppay")]

    def item(*meanings: TermMapping) -> Any:
        return beppay.item(Raw(msgspec.json.encode(plan)), overrides_of(meanings, "beppay"))

    assert item().words == ("FORTNIGHT",)
    assert (item(FORTNIGHT).about, item(FORTNIGHT).words) == (About.PLACE, ("Asia Pacific 3",))
    assert item(*own).coverage == ("AU", "HK", "JP")
    assert item(*own).validity.days == 14


def test_s2s_names_the_attributes_that_nobody_explained_and_reads_them_once_somebody_did():
    product = wire.Product(id="P", type="esim", name="Trip", attributes={"where": "Bali City"})
    sku = wire.Sku(id="S", name="Trip", attributes={"volume": "5 GB", "length": "30", "colour": "red"})
    codes = AttributeCodes(country="where")

    def item(*meanings: TermMapping) -> Any:
        words = overrides_of(meanings, "s2s")
        raw = Raw(msgspec.json.encode({"id": "S", "name": "Trip", "attributes": sku.attributes}))
        price = wire.Price(sku_id="S", price=Decimal("4.2"), currency="USD")
        return s2s.offer_or_reason(s2s.described(product, words), sku, price, codes, raw, words)

    bali = meaning("Bali City", "ID", provider="s2s")
    assert item().words == ("Bali City",)
    aside = item(bali)
    assert (aside.about, aside.words) == (About.ATTRIBUTE, ("colour", "length", "volume"))
    told_codes = [
        meaning("volume", "data", About.ATTRIBUTE, "s2s"),
        meaning("length", "days", About.ATTRIBUTE, "s2s"),
    ]
    offer = item(bali, *told_codes)
    assert (offer.coverage, offer.data.mb, offer.validity.days) == (("ID",), 5000, 30)
    again = s2s.kept(aside.raw, codes, overrides_of([bali, *told_codes], "s2s"))
    assert isinstance(again, Offer)
    assert (again.coverage, again.cost) == (offer.coverage, offer.cost)


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cf", "Co", "Cn", "Zs", "Zl", "Zp"]),
                min_size=1, max_size=30)  # fmt: skip


@given(words, st.sets(st.sampled_from(["JP", "KR", "FR"]), min_size=1))
def test_what_is_written_into_a_file_is_read_again(word, codes):
    try:
        one = meaning(word, " ".join(codes))
    except TermMappingError:
        return
    assert read_toml(as_toml([one, FORTNIGHT])) == (FORTNIGHT, one)


def test_a_file_with_a_fault_is_named():
    for text in ("[[mapping]]\nabout = 'place'", "[[mapping]]\nabout = 'place'\nword = 'x'\nmeans = 'QQ'", "["):
        with pytest.raises(ConfigurationError, match=r"config/mappings\.toml"):
            read_toml(text)
    assert shipped() == ()


def test_a_place_that_the_tables_know_by_now_is_left_out_of_a_file():
    known, anew = (
        TermMapping(about=About.PLACE, word="日本", means="JP"),
        TermMapping(about=About.PLACE, word="日本", means="KR"),
    )
    assert read_toml(as_toml([known])) == ()
    with pytest.raises(ConfigurationError, match="understood already"):
        read_toml(as_toml([anew]))
