from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from providers.kit import atlas, places
from providers.kit.places import Place, PlaceKind
from providers.kit.spelling import key_of
from schemas.errors import ConfigurationError

SPELLINGS = {
    "AE": ("United Arab Emirates", "UAE", "U.A.E.", "Arab Emirates", "ОАЭ"),
    "AX": ("Åland Islands", "Aaland Islands"),
    "BL": ("Saint Barthelemy", "St. Barthélemy", "Saint-Barthélemy"),
    "BQ": ("Bonaire, Sint Eustatius and Saba", "Caribbean Netherlands"),
    "CD": ("Congo-the Democratic Republic of the", "DR Congo", "Congo - Kinshasa", "Democratic Republic of the Congo"),
    "CG": ("Congo", "Republic of the Congo", "Congo - Brazzaville"),
    "CI": ("Côte d’Ivoire", "Cote d'Ivoire", "Cote Divoire", "Ivory Coast"),
    "CO": ("Colombia", "Columbia"),
    "CV": ("Cape Verde", "Cabo Verde"),
    "CW": ("Curaçao", "Curacao"),
    "CZ": ("Czech Republic", "Czechia"),
    "DM": ("Dominica",),
    "DO": ("Dominican Republic",),
    "FO": ("Faroe Islands", "Faeroe Islands"),
    "GB": ("United Kingdom", "UK", "U.K.", "Great Britain", "Великобритания", "Royaume-Uni"),
    "GE": ("Georgia", "Грузия"),
    "GN": ("Guinea",),
    "GQ": ("Equatorial Guinea",),
    "GW": ("Guinea-Bissau", "Guinea Bissau"),
    "HK": ("Hong Kong", "Hong Kong SAR China", "Hong Kong (China)"),
    "IR": ("Iran", "Iran-Islamic Republic of", "Iran, Islamic Republic of"),
    "JE": ("Jersey",),
    "JP": ("Japan", "JP", "  japan ", "JAPAN", "Япония", "Japón", "Japon"),
    "KR": ("South Korea", "Korea, Republic of", "Korea (South)", "Südkorea", "Corée du Sud"),
    "KY": ("Cayman Islands", "British Cayman Island"),
    "MF": ("Saint Martin", "Saint Martinfrench Part", "Saint Martin (French part)"),
    "MK": ("Macedonia", "North Macedonia"),
    "MO": ("Macau", "Macao", "Macao SAR China"),
    "NE": ("Niger",),
    "NG": ("Nigeria",),
    "PM": ("St Pierre And Miquelon", "Saint Pierre & Miquelon"),
    "PR": ("Puerto Rico", "Puerto Rico Us", "Puerto Rico (United States)"),
    "PS": ("Palestine", "Palestine State Of", "Palestinian Territories"),
    "RE": ("Reunion", "Réunion", "Reunion France"),
    "RU": ("Russia", "Russian Federation", "Россия"),
    "SX": ("Sint Maarten", "Sint Maarten (Dutch part)"),
    "SZ": ("Swaziland", "Eswatini"),
    "TR": ("Turkey", "Türkiye", "Turkiye"),
    "TT": ("Trinidad and Tobago", "Trinidad & Tobago"),
    "TW": ("Taiwan", "Taiwan, Province of China"),
    "US": ("United States", "USA", "U.S.A.", "the United States of America", "США"),
    "VA": ("Vatican", "Vatican City", "Holy See (Vatican City State)"),
    "VC": ("Saint Vincent and the Grenadines", "Saint Vicent And The Granadines"),
    "VG": ("British Virgin Islands", "Virgin Islands - British", "Virgin Islands (British)"),
    "VI": ("U.S. Virgin Islands", "Virgin Islands Us"),
    "VN": ("Vietnam", "Viet Nam"),
    "WS": ("Samoa",),
    "XK": ("Kosovo",),
    "YT": ("Mayotte", "Mayoette"),
}


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in SPELLINGS.items() for text in texts])
def test_a_country_is_known_in_each_of_its_spellings(code: str, text: str) -> None:
    assert places.place(text) == Place(PlaceKind.COUNTRY, (code,))
    assert places.country(text) == code
    assert places.countries(text) == (code,)


@pytest.mark.parametrize(
    "text",
    [
        "Tokyo City", "Bali City", "Hawaii", "Scotland", "England", "Northern Ireland", "Canary Islands",
        "Northern Cyprus", "South Cyprus", "Azores", "Zanzibar", "Texas", "Tibet", "Madeira", "Marie Galante",
        "Bonaire", "Saba",
        "Sint Eustatius", "Netherlands Antilles", "Washington Dc", "Mexico City", "Luxembourg City", "British Columbia",
        "New Jersey", "Kos", "Georgia US", "Georgia, USA", "Paris, France", "London UK", "Hawaii, USA",
        "Ceuta & Melilla", "Canarias", "Islas Canarias", "Москва", "Trinidad", "Barbuda",
    ],
)  # fmt: skip
def test_a_part_of_a_country_is_never_the_country(text: str) -> None:
    assert places.place(text) == Place(PlaceKind.NO_COUNTRY)
    assert places.country(text) is None
    assert places.countries(text) is None


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Japan South Korea", ("JP", "KR")),
        ("Japan China", ("CN", "JP")),
        ("China Hong Kong Macau", ("CN", "HK", "MO")),
        ("Japan & South Korea", ("JP", "KR")),
        ("Japan and Korea", ("JP", "KR")),
        ("Japan + Korea", ("JP", "KR")),
        ("Turkey/Greece", ("GR", "TR")),
        ("United States, Canada, Mexico", ("CA", "MX", "US")),
        ("USA & Canada", ("CA", "US")),
        ("Puerto Rico, United States", ("PR", "US")),
        ("JP,KR", ("JP", "KR")),
        ("JP KR", ("JP", "KR")),
        ("JP, South Korea", None),
        ("Bosnia and Herzegovina and Serbia", ("BA", "RS")),
        ("Trinidad & Tobago, Antigua and Barbuda", ("AG", "TT")),
        ("Korea, Republic of, Japan", ("JP", "KR")),
        ("Dominica Dominican Republic", ("DM", "DO")),
        ("Guinea, Guinea-Bissau, Equatorial Guinea, Papua New Guinea", ("GN", "GQ", "GW", "PG")),
        ("Niger, Nigeria", ("NE", "NG")),
        ("Congo, Democratic Republic of the Congo", ("CD", "CG")),
        ("Serbia and Montenegro", ("ME", "RS")),
        ("Japan, Japan", ("JP",)),
        ("Japan, Narnia", None),
        ("Japan, Tokyo", None),
        ("Japan, Europe", None),
        ("Hong Kong, China", None),
        ("Virgin Islands", None),
        ("Cyprus (Turkey)", None),
        ("Andorra, Vatican City", ("AD", "VA")),
    ],
)
def test_several_countries_in_one_text_are_a_list_or_nothing(text: str, codes: tuple[str, ...] | None) -> None:
    assert places.countries(text) == codes


def test_a_list_of_every_country_is_understood() -> None:
    names = ", ".join(places.country_name(code) for code in places.country_codes())
    assert places.countries(names) == places.country_codes()


@pytest.mark.parametrize(
    "text",
    [
        "Europe", "EU", "Eu Plus Uk", "Europe Lite", "Europe Balkans", "Europe (33 countries)", "Europe 35", "Balkans",
        "Middle East And North Africa", "Global", "Global One", "World", "Cis Region", "Caribbean", "Caribbean Cruise",
        "Caribbean Islands", "Mediterranean Cruise", "Africa Safari", "Cenam", "Latin America", "Southeast Asia",
        "Asia-Pacific", "Scandinavia", "Gulf Region", "Oceania", "Европа", "Amérique du Nord", "Fancy Caribbean Deal",
    ],
)  # fmt: skip
def test_a_region_is_a_region_and_covers_nothing_by_its_name(text: str) -> None:
    assert places.place(text) == Place(PlaceKind.REGION)


@pytest.mark.parametrize(
    "text", ["", "   ", "the", "&", "City", "Narnia", "jp", "Kingdom of Nowhere", "Japann", "Germny", "XX", "JP,XX"]
)
def test_what_nobody_knows_is_unknown(text: str) -> None:
    assert places.place(text) == Place(PlaceKind.UNKNOWN)


def test_a_text_beyond_the_cap_is_unknown() -> None:
    assert places.place("Japan," * 2000).kind is PlaceKind.UNKNOWN


@given(st.text(max_size=300))
def test_any_text_has_an_answer(text: str) -> None:
    found = places.place(text)
    assert (found.kind in {PlaceKind.COUNTRY, PlaceKind.COUNTRIES}) == bool(found.codes)
    assert list(found.codes) == sorted(set(found.codes))
    assert all(places.is_country(code) for code in found.codes)


@given(
    st.lists(st.sampled_from(places.country_codes()), min_size=1, max_size=40),
    st.sampled_from([", ", "; ", " / ", ",", " + "]),
)
def test_a_list_of_names_gives_back_its_codes(codes: list[str], separator: str) -> None:
    assume(codes not in [["HK", "CN"], ["MO", "CN"], ["TW", "CN"]])  # "Hong Kong, China" may mean Hong Kong alone
    text = separator.join(places.country_name(code) for code in codes)
    assert places.countries(text) == tuple(sorted(set(codes)))


def test_the_codes_are_iso_s_and_kosovo_s() -> None:
    codes = places.country_codes()
    assert len(codes) == 250
    assert {"XK", "HK", "MO", "TW", "PR", "GP", "RE", "AQ"} <= set(codes)
    assert not {"EU", "UK", "AN", "AC", "IC", "EA", "TA", "DG", "XA", "ZZ"} & set(codes)
    assert not places.is_country("jp")


def test_a_name_is_what_a_traveller_says() -> None:
    assert places.country_name("JP") == "Japan"
    assert places.country_name("HK") == "Hong Kong"
    assert places.country_name("TR") == "Turkey"
    assert places.country_name("??") == "??"


def test_every_name_that_is_shown_is_understood() -> None:
    assert all(places.country(places.country_name(code)) == code for code in places.country_codes())


@pytest.mark.parametrize(
    ("coverage", "code"),
    [
        (("JP",), None),
        (("JP", "KR"), "north-east-asia"),
        (("CN", "HK", "MO"), "greater-china"),
        (("CA", "US"), "north-america"),
        (("DK", "NO", "SE"), "scandinavia"),
        (("AE", "BH", "KW", "OM", "QA", "SA"), "gcc"),
        (("FR", "DE"), "european-union"),
        (("FR", "DE", "CH", "NO"), "europe"),
        (("FR", "DE", "CH", "GB", "JP"), "europe"),  # four of five
        (("FR", "DE", "GB", "JP"), None),  # three of four
        (("BR", "JP"), None),
        ((), None),
    ],
)
def test_a_plan_is_of_the_smallest_region_that_holds_four_fifths_of_it(
    coverage: tuple[str, ...], code: str | None
) -> None:
    assert places.region_of(coverage) == code


def test_a_plan_of_a_hundred_countries_is_global() -> None:
    codes = places.country_codes()
    assert places.region_of(codes) == "global"
    mixed = codes[::3]  # from everywhere, but fewer than a hundred
    assert len(mixed) < 100
    assert places.region_of(mixed) is None


def test_regions_stand_smallest_first_and_hold_countries() -> None:
    found = places.regions()
    assert [len(each.countries) for each in found] == sorted(len(each.countries) for each in found)
    assert len({each.code for each in found}) == len(found)
    assert {
        "europe",
        "asia",
        "southeast-asia",
        "middle-east",
        "africa",
        "north-america",
        "latin-america",
        "caribbean",
    } < {each.code for each in found}
    assert places.region("europe") in found
    assert places.region("atlantis") is None


def test_a_supplier_s_region_is_unknown_until_its_list_is_written_down() -> None:
    assert places.supplier_region("pikasim", "Europe") is None
    assert places.supplier_region("no-such-provider", "Europe") is None
    assert places.supplier_region("pikasim", "x" * 10_000) is None


def test_a_supplier_s_own_list_is_its_own_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    table = atlas._table("regions.toml") | {"suppliers": {"pikasim": {"Europe Lite": "FR DE AT"}}}
    monkeypatch.setattr(atlas, "_table", lambda _: dict(table))
    atlas.regions.cache_clear()
    try:
        assert places.supplier_region("pikasim", " europe  LITE ") == ("AT", "DE", "FR")
        assert places.supplier_region("beppay", "Europe Lite") is None
    finally:
        monkeypatch.undo()
        atlas.regions.cache_clear()


def test_no_spelling_stands_for_two_places() -> None:
    meanings: dict[str, set[Place]] = {}
    for name, meaning in atlas._tabled_names(atlas._table("places.toml")):
        meanings.setdefault(key_of(name), set()).add(meaning)
    assert {key: found for key, found in meanings.items() if len(found) > 1} == {}


def test_every_code_in_the_tables_is_a_country() -> None:
    table = atlas._table("places.toml")
    territories = [code for codes in table["state_of"].values() for code in codes.split()]
    written = [
        *table["names"],
        *table["spellings"],
        *table["codes"].values(),
        *table["state_of"],
        *territories,
        *atlas._table("operators.toml"),
    ]
    assert [code for code in written if not places.is_country(code)] == []


def test_a_region_with_a_code_that_is_no_country_is_a_wrong_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atlas, "_table", lambda _: {"x": {"name": "X", "countries": "FR XX"}})
    atlas.regions.cache_clear()
    try:
        with pytest.raises(ConfigurationError, match="x: no such country: XX"):
            atlas.regions()
    finally:
        monkeypatch.undo()
        atlas.regions.cache_clear()
