"""Where the made-up suppliers sell: countries, operators, spellings and each one's own regional sets."""

from __future__ import annotations

from providers import places


def _codes(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Nobody sells an eSIM there: no network of its own, or nobody lives there. Antarctica stays uncovered for good.
# Bouvet Island is for `trigger_plans.py`.
_NOT_SOLD = frozenset(_codes("AQ AX BV CC CX EH FK GS HM IO KP NF NU PN SH SJ TF TK UM WF"))

# Where every supplier has the whole range, so that they compete plan by plan.
POPULAR = _codes("JP US GB FR DE IT ES TR TH KR SG AE")

_EUROPE = _codes(
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IS IE IT LV LT LU MT NL NO PL PT RO SK SI ES SE CH"
    " GB LI UA TR RS AL MK ME BA MD GI XK"
)
_SOUTH_EAST_ASIA = _codes("TH VN MY SG ID PH KH LA")
_LATIN_AMERICA = _codes("MX BR AR CL CO PE EC UY PY BO CR PA GT HN SV NI DO")
_CARIBBEAN = _codes("JM BB BS TT DO AG GD LC VC KN DM AI KY TC VG AW CW GP MQ BM")
_MIDDLE_EAST = _codes("AE SA QA KW BH OM JO IL EG IQ TR")
_AFRICA = _codes("ZA EG MA TN KE TZ UG NG GH SN CI CM RW ZM MZ MG MU SC BW NA MW LS")
_BALKANS = _codes("AL BA BG HR GR XK ME MK RO RS SI")
_NORDICS = _codes("DK FI IS NO SE")
_CIS = _codes("KZ KG UZ TJ AM AZ MD RU BY")
_ASIA = _codes("JP KR CN HK MO TW TH VN MY SG ID PH KH IN LK")

# Each supplier, in sorted order, has its own idea of a region; some of them are the same set.
REGIONS: tuple[dict[str, tuple[str, ...]], ...] = (
    {
        "Europe": _EUROPE[:33],
        "Europe Plus": _EUROPE[:39],
        "Japan & South Korea": ("JP", "KR"),
        "Asia": _ASIA[:11],
        "Southeast Asia": _SOUTH_EAST_ASIA[:6],
        "North America": ("CA", "MX", "US"),
        "Latin America": _LATIN_AMERICA,
        "Balkans": _BALKANS,
        "Nordics": _NORDICS,
        "Middle East": _MIDDLE_EAST[:7],
        "China, Hong Kong, Macau": ("CN", "HK", "MO"),
    },
    {
        "Europe": _EUROPE[:35],
        "Europe Extended": _EUROPE[:42],
        "Japan South Korea": ("JP", "KR"),
        "North East Asia": ("CN", "HK", "JP", "KR", "TW"),
        "Asia": _ASIA[:13],
        "Southeast Asia": _SOUTH_EAST_ASIA,
        "North America": ("CA", "MX", "US"),
        "USA & Canada": ("CA", "US"),
        "Caribbean": _CARIBBEAN,
        "Gulf Region": ("AE", "BH", "KW", "OM", "QA", "SA"),
        "Australia & New Zealand": ("AU", "NZ"),
        "Africa": _AFRICA,
    },
    {
        "Europe": _EUROPE[:39],
        "Europe 33": _EUROPE[:33],
        "Japan and Korea": ("JP", "KR"),
        "Asia Pacific": (*_ASIA, "AU", "NZ"),
        "Southeast Asia": _SOUTH_EAST_ASIA[:6],
        "USA & Canada": ("CA", "US"),
        "Latin America": _LATIN_AMERICA[:14],
        "Middle East": _MIDDLE_EAST,
        "CIS": _CIS,
        "Balkans": _BALKANS[:9],
        "China, Hong Kong, Macau": ("CN", "HK", "MO"),
        "Australia & New Zealand": ("AU", "NZ"),
    },
)
GLOBAL_SIZES = (109, 120, 139)

# How the suppliers, in sorted order, write countries that have several names.
_SPELLINGS: dict[str, tuple[str, str, str]] = {
    "BQ": ("Bonaire, Sint Eustatius and Saba", "Caribbean Netherlands", "Bonaire Saint Eustatius And Saba"),
    "CD": ("Congo-the Democratic Republic of the", "DR Congo", "Democratic Republic of the Congo"),
    "CI": ("Ivory Coast", "Côte d’Ivoire", "Cote D'Ivoire"),
    "CZ": ("Czech Republic", "Czechia", "Czechia"),
    "GB": ("United Kingdom", "UK", "Great Britain"),
    "IR": ("Iran-Islamic Republic of", "Iran", "Iran"),
    "KR": ("South Korea", "Korea, Republic of", "Korea"),
    "MK": ("Macedonia", "North Macedonia", "North Macedonia"),
    "MO": ("Macau", "Macao", "Macao"),
    "RU": ("Russia", "Russian Federation", "Russia"),
    "SZ": ("Swaziland", "Eswatini", "Eswatini"),
    "TR": ("Turkey", "Türkiye", "Turkey"),
    "US": ("United States", "USA", "United States"),
    "VA": ("Vatican City", "Holy See", "Vatican"),
    "VG": ("British Virgin Islands", "Virgin Islands - British", "Virgin Islands (British)"),
    "VN": ("Vietnam", "Viet Nam", "Vietnam"),
}

_OPERATORS: dict[str, tuple[str, ...]] = {
    "AE": ("Etisalat", "du"),
    "AT": ("A1", "Magenta", "Drei"),
    "AU": ("Telstra", "Optus", "Vodafone"),
    "BE": ("Proximus", "Orange", "BASE"),
    "BR": ("Vivo", "Claro", "TIM"),
    "CA": ("Rogers", "Bell", "Telus"),
    "CH": ("Swisscom", "Sunrise", "Salt"),
    "CN": ("China Mobile", "China Unicom", "China Telecom"),
    "DE": ("Telekom", "Vodafone", "O2"),
    "EG": ("Orange", "Vodafone", "Etisalat"),
    "ES": ("Movistar", "Orange", "Vodafone"),
    "FR": ("Orange", "SFR", "Bouygues"),
    "GB": ("EE", "O2", "Vodafone", "Three"),
    "GR": ("Cosmote", "Vodafone", "Nova"),
    "HK": ("CSL", "SmarTone", "3HK"),
    "ID": ("Telkomsel", "XL", "Indosat"),
    "IN": ("Airtel", "Jio", "Vi"),
    "IT": ("TIM", "Vodafone", "WindTre"),
    "JP": ("Docomo", "KDDI", "SoftBank"),
    "KR": ("SK Telecom", "KT", "LG U+"),
    "MX": ("Telcel", "AT&T", "Movistar"),
    "MY": ("CelcomDigi", "Maxis", "U Mobile"),
    "NL": ("KPN", "Odido", "Vodafone"),
    "NZ": ("Spark", "One NZ", "2degrees"),
    "PL": ("Play", "Orange", "Plus"),
    "PT": ("MEO", "NOS", "Vodafone"),
    "SA": ("STC", "Mobily", "Zain"),
    "SG": ("Singtel", "StarHub", "M1"),
    "TH": ("AIS", "TrueMove H"),
    "TR": ("Turkcell", "Vodafone", "Türk Telekom"),
    "TW": ("Chunghwa", "Taiwan Mobile", "FarEasTone"),
    "US": ("AT&T", "T-Mobile", "Verizon"),
    "VN": ("Viettel", "Vinaphone", "Mobifone"),
    "ZA": ("Vodacom", "MTN"),
}


def sold_countries() -> list[str]:
    """Every country that the suppliers may sell, in order."""
    return [code for code in places.country_codes() if code not in _NOT_SOLD]


def spelling(code: str, supplier: int) -> str:
    """The country's name as the supplier of that rank writes it."""
    if code in _SPELLINGS:
        return _SPELLINGS[code][supplier % 3]
    return places.country_name(code)


def operators(code: str) -> tuple[str, ...]:
    """Operators in a country: the real ones where they are listed, made-up ones elsewhere."""
    if code in _OPERATORS:
        return _OPERATORS[code]
    name = places.country_name(code)
    return (f"{name} Telecom", f"{name} Mobile")
