"""What catalogues write and what it means, labelled by hand before any parser saw it.

A place is the codes of its countries between spaces, ``region``, ``no country`` (a city, an island or a part), or
``unknown``. With codes beside it, it is the codes of the coverage or the reason why the offer is unmapped.
"""

from __future__ import annotations

# A territory that is named with the state that it belongs to. (names, codes) -> coverage
TERRITORIES = [
    ("Gibraltar, United Kingdom", "GI", "GI"),
    ("Hong Kong, China", "HK", "HK"),
    ("Taiwan, China", "TW", "TW"),
    ("Macau, China", "MO", "MO"),
    ("Guam, United States", "GU", "GU"),
    ("Réunion, France", "RE", "RE"),
    ("Aruba, Netherlands", "AW", "AW"),
    ("Greenland, Denmark", "GL", "GL"),
    ("Føroyar, Danmark", "FO", "FO"),
    ("Isle of Man, UK", "IM", "IM"),
    ("Puerto Rico, USA", "PRI", "PR"),
    ("Martinique, Frankreich", "MQ", "MQ"),
    ("Guadeloupe, Francia", "GP", "GP"),
    ("Гонконг, Китай", "HK", "HK"),
    ("香港, 中国", "HK", "HK"),
    ("澳门, 中国", "MAC", "MO"),
    ("Cook Islands, New Zealand", "CK", "CK"),
    ("Åland, Finland", "AX", "AX"),
    ("Christmas Island, Australia", "CX", "CX"),
    ("United Kingdom, Gibraltar", "GI", "GI"),
    ("Gibraltar (United Kingdom)", "GI", "GI"),
    ("United States, Guam, Northern Mariana Islands", "GU,MP", "GU MP"),
    ("China, Hong Kong, Macau", "HK,MO", "HK MO"),
    ("China, Hong Kong, Macau", "CN,HK,MO", "CN HK MO"),
    ("United States, Guam", "US", "GU US"),
    ("United States, Guam", "GU,US", "GU US"),
    ("Gibraltar, Spain", "GI", "ES GI"),
    ("United Kingdom", "GI", "contradictory"),
    ("China", "HK", "contradictory"),
    ("France, Guam", "RE", "contradictory"),
]

# A name that no table knows, or that is no country, beside codes.
UNREADABLE = [
    ("日本", "JP", "JP"),
    ("Zorblax", "KR", "KR"),
    ("???", "FR", "FR"),
    ("Magyaro.", "HUN", "HU"),
    ("Deutschlnad", "DE", "DE"),
    ("Bharat", "IN", "IN"),
    ("Éire nua", "IE", "IE"),
    ("Canary Islands", "ES", "ES"),
    ("Mexico City", "MX", "MX"),
    ("Bali", "IDN", "ID"),
    ("Tokyo, Osaka", "JP", "JP"),
    ("Nowhere, Elsewhere", "AT,CH", "AT CH"),
    ("Virgin Islands", "VI", "VI"),
    ("Kongo", "CD", "CD"),
    ("Nippon Unlimited", "jp", "JP"),
    ("Spain (Canary Islands)", "ES", "ES"),
    ("Japan, Nowhereland", "JP", "JP"),
    ("", "JPN", "JP"),
    ("Japan, Nowhereland", "JP,KR", "contradictory"),
    ("Japan", "KR", "contradictory"),
    ("Africa", "AF", "contradictory"),
    ("Europa", "FR", "contradictory"),
    ("アジア", "AS", "contradictory"),
    ("Nowhereland", "", "no_such_country"),
    ("Nowhereland", "XX", "no_such_country"),
    ("Tokyo, Japan", "", "no_such_country"),
    ("Japan, Nowhereland", "", "no_such_country"),
    ("Kongo", "", "no_such_country"),
]

# Several countries, in names and in codes of two or three letters.
LISTS = [
    ("Japan, South Korea", "JP", "JP KR"),
    ("Japan, South Korea", "JPN,KOR", "JP KR"),
    ("Japan, South Korea", "KOR", "JP KR"),
    ("Japan", "JPN", "JP"),
    ("Japan", "jpn", "JP"),
    ("日本、韓国", "JP", "JP KR"),
    ("日本，韩国", "JP,KR", "JP KR"),
    ("Deutschland, Österreich, Schweiz", "AT", "AT CH DE"),
    ("Испания и Португалия", "ES,PT", "ES PT"),
    ("Espagne et Portugal", "", "ES PT"),
    ("España y Portugal", "ESP", "ES PT"),
    ("Italia e Svizzera", "", "CH IT"),
    ("Spanien und Portugal", "", "ES PT"),
    ("Czechy i Słowacja", "", "CZ SK"),
    ("السعودية، الإمارات", "", "no_such_country"),  # CLDR has their long names only
    ("Japan, South Korea", "JP,FR", "contradictory"),
    ("Japan", "JP,KR", "contradictory"),
    ("Japan, South Korea", "CHN", "contradictory"),
    ("", "SRB|MNE", "ME RS"),
    ("", "UK", "GB"),
    ("JPN, KOR", "", "JP KR"),
    ("JP,KR", "", "JP KR"),
]

# A code by itself. None: no country's.
CODES = [
    ("JP", "JP"), ("jp", "JP"), ("JPN", "JP"), ("jpn", "JP"), ("UK", "GB"), ("GBR", "GB"), ("USA", "US"),
    ("DEU", "DE"), ("CHE", "CH"), ("HKG", "HK"), ("TWN", "TW"), ("MAC", "MO"), ("REU", "RE"), ("GIB", "GI"),
    ("ROU", "RO"), ("XKX", "XK"), ("AND", "AD"), ("UAE", "AE"),
    ("EU", None), ("XX", None), ("ZZZ", None), ("EUR", None), ("ANT", None), ("SCG", None), ("001", None),
    ("", None), ("J", None), ("Japan", None), ("392", None),
]  # fmt: skip

# One name in two languages or scripts.
BILINGUAL = [
    ("Japan日本", "JP"),
    ("日本Japan", "JP"),
    ("Japan 日本", "JP"),
    ("Japan/日本", "JP"),
    ("日本 (Japan)", "JP"),
    ("Japan (日本)", "JP"),
    ("Japan（日本）", "JP"),
    ("South Korea 대한민국", "KR"),
    ("대한민국South Korea", "KR"),
    ("Thailandไทย", "TH"),
    ("Россия Russia", "RU"),
    ("Germany | Deutschland", "DE"),
    ("España / Spain", "ES"),
    ("مصر - Egypt", "EG"),
    ("Egyptمصر", "EG"),
    ("Ελλάδα Greece", "GR"),
    ("China中国", "CN"),
    ("Hong Kong 香港", "HK"),
    ("Taiwan 台灣", "TW"),
    ("Macau澳門", "MO"),
    ("Vietnam Việt Nam", "VN"),
    ("Türkiye Turkey", "TR"),
    ("Singapore新加坡", "SG"),
    ("Malaysia 马来西亚", "MY"),
    ("Israel ישראל", "IL"),
    ("India भारत", "IN"),
    ("Armenia Հայաստան", "AM"),
    ("Georgia საქართველო", "GE"),
    ("Bosnia and Herzegovina Bosna i Hercegovina", "BA"),
    ("Japan中国", "CN JP"),
    ("Japan火星", "unknown"),
    ("Europe欧洲", "region"),
    ("Tokyo 東京", "unknown"),
]

# Brackets: dropped where they say nothing of a place.
BRACKETS = [
    ("Japan (Docomo)", "JP"),
    ("Japan (IIJ)", "JP"),
    ("France (Orange Holiday)", "FR"),
    ("United Kingdom (EE)", "GB"),
    ("Thailand (DTAC TriNet)", "TH"),
    ("Turkey (Turkcell)", "TR"),
    ("Italy [TIM]", "IT"),
    ("Indonesia (Telkomsel 4G)", "ID"),
    ("Vietnam (Viettel)", "VN"),
    ("日本（ドコモ）", "JP"),
    ("Spain (Vodafone/Orange)", "ES"),
    ("(Docomo) Japan", "JP"),
    ("Japan (Docomo), South Korea (SKT)", "JP KR"),
    ("Japan (JP)", "JP"),
    ("Japan (JPN)", "JP"),
    ("[JP] Japan", "JP"),
    ("Japan (KR)", "unknown"),
    ("Samoa (American)", "unknown"),
    ("Samoa (US)", "unknown"),
    ("Cyprus (North)", "unknown"),
    ("Cyprus (northern part)", "unknown"),
    ("Cyprus (Greek side)", "unknown"),
    ("Macedonia (Greek)", "unknown"),
    ("France (mainland only)", "unknown"),
    ("Guinea (Equatorial)", "GQ"),  # read whole
    ("Ireland (Northern)", "unknown"),
    ("Korea (DPR)", "unknown"),
    ("China (ROC)", "unknown"),
    ("Sudan (South)", "unknown"),
    ("Saint Martin (NL)", "unknown"),
    ("Timor (East)", "unknown"),
    ("Spain (islands)", "unknown"),
    ("Malaysia (West)", "unknown"),
    ("Georgia (State)", "no country"),  # read whole
    ("Spain (Canary Islands)", "no country"),
    ("Portugal (Madeira)", "no country"),
    ("Australia (Tasmania)", "no country"),
    ("Virgin Islands (US)", "VI"),
    ("Hong Kong (China)", "HK"),
    ("Guam (USA)", "GU"),
    ("Congo (Kinshasa)", "CD"),
    ("Cyprus (Turkey)", "unknown"),
]

# Cities and parts are no country, whoever's they are.
PARTS = [
    ("Mexico City", "no country"),
    ("Panama City", "no country"),
    ("Kuwait City", "no country"),
    ("Guatemala City", "no country"),
    ("Quebec City", "no country"),
    ("Ho Chi Minh City", "no country"),
    ("Spain, Canary Islands", "no country"),
    ("Hawaii (USA)", "no country"),
    ("Madeira - Portugal", "no country"),
    ("Bali (Indonesia)", "no country"),
    ("Dubai UAE", "no country"),
    ("Tokyo Japan", "no country"),
    ("Granada", "no country"),
    ("Tunis", "no country"),
    ("Vatican City", "VA"),
]

# Spellings that two countries, or a country and a region, share: not read.
SHARED = [
    "Kongo", "Virgin Islands", "Hong Kong, China", "Конго", "Kata", "Toga", "Nigeri", "Sabiya", "Sant Martin",
    "Свети Мартин", "ሰሜን ኮሪያ", "لتونی", "موریتانیا", "Lusia",
]  # fmt: skip

TYPOS = [
    "Japann", "Germny", "Deutschlnad", "Untied States", "Portgual", "Swizterland", "Thialand", "Austalia", "Frnace",
    "Itlay", "Spian", "Vietnma", "Indonseia", "Jpaan", "Singapoor e", "Phillipnes", "Яопния", "日夲",
]  # fmt: skip

# An operator behind a country. (text, operators of the offer's networks) -> place
OPERATORS = [
    ("Japan Docomo", (), "JP"),
    ("Japan NTT Docomo", (), "JP"),
    ("Japan - SoftBank", (), "JP"),
    ("South Korea SK Telecom", (), "KR"),
    ("South Korea SKT", (), "KR"),
    ("Thailand AIS", (), "TH"),
    ("Vietnam Viettel", (), "VN"),
    ("Turkey Turkcell", (), "TR"),
    ("USA T-Mobile", (), "US"),
    ("USA AT&T", (), "US"),
    ("UK EE", (), "GB"),
    ("Indonesia Telkomsel", (), "ID"),
    ("Hong Kong 3", (), "HK"),
    ("France Orange", (), "FR"),
    ("日本 Docomo", (), "JP"),
    ("Japan Docomo, South Korea SKT", (), "JP KR"),
    ("Japan Blorptel", (), "unknown"),
    ("Japan Blorptel", ("Blorptel",), "JP"),
    ("Japan Vodafone", (), "unknown"),
    ("Docomo Japan", (), "unknown"),
    ("Docomo", (), "unknown"),
    ("Docomo", ("Docomo",), "unknown"),
    ("Japan Docomo Tokyo", (), "no country"),
    ("Japan Docomo Plus", (), "unknown"),
]

NOT_NEW = [
    "Japan 5GB Top-up", "Top up 1GB Japan", "TOPUP - Europe 10GB", "Top-up plan: Global 1GB",
    "Recharge only: Thailand 3GB", "USA 5GB (recharge only)", "Physical SIM Japan 10GB",
    "Japan physical SIM card 8 days", "Turkey 10GB plastic SIM", "Пополнение Турция 5 ГБ",
    "Физическая SIM-карта Япония 10 ГБ", "Nur Aufladung: Spanien 3GB", "仅充值 日本 5GB", "日本 5GB 实体SIM卡",
    "Carte SIM physique France 20 Go", "Tarjeta SIM física España 10GB", "Nur zum Aufladen - Italien 5 GB",
    "Top‑up 5GB Japan", "Japan SIM card (physical) 5GB",
    "Solo recarga: México 3GB", "Recharge uniquement - Espagne 5 Go", "日本 3GB チャージ専用",
]  # fmt: skip

NEW = [
    "Japan 5GB eSIM", "Japan 5GB (top-up available)", "USA 10GB, top up anytime", "Europe 10GB rechargeable eSIM",
    "Japan 1GB no top-up", "Non-top-up Japan 1GB", "Thailand eSIM with top-up option", "Italy 5GB topup supported",
    "No physical SIM needed - Japan 3GB", "eSIM (not a physical SIM) Korea 5GB", "Laptop Upgrade Japan 5GB",
    "Turkey 10GB without top-up", "Japan 5GB Reloadable", "Spain 3GB (supports top-ups)", "eSIM only Japan 5GB",
    "Franz. Guayana 5GB", "Japan 5GB top-up: yes", "Japan 5GB w/ top-ups", "Topup not supported: Japan 5GB",
]  # fmt: skip

# What shops call their plans. name -> place
PLAN_NAMES = [
    # English
    ("Japan 10GB 30 Days eSIM", "JP"),
    ("eSIM USA & Canada 5 GB / 15 days", "CA US"),
    ("[Data Only] South Korea 3GB 7 Days", "KR"),
    ("Thailand (AIS) Unlimited 8 Days 5G", "TH"),
    ("UK 20GB - 30 Days (EE)", "GB"),
    ("Hong Kong & Macau 5GB 7-Day Plan", "HK MO"),
    ("Europe 39 countries 10GB 30 Days", "region"),
    ("Asia-Pacific 6GB 30 Days", "region"),
    ("Bali 5GB 15 Days", "no country"),
    ("Japan (Tokyo) 3GB 7 Days", "no country"),
    ("St. Kitts & Nevis 1GB 7 Days", "KN"),
    ("Turkey/Türkiye 10GB 30 Days", "TR"),
    # German
    ("eSIM Deutschland 5 GB 30 Days", "DE"),
    ("Datenpaket Österreich 3GB", "AT"),
    ("Prepaid eSIM Vereinigte Staaten 10GB", "US"),
    ("Schweiz und Liechtenstein 5GB", "CH LI"),
    ("Elfenbeinküste 1GB", "CI"),
    ("Europa 10GB", "region"),
    # French
    ("eSIM Japon 10GB", "JP"),
    ("Forfait données Royaume-Uni 5GB", "GB"),
    ("eSIM prépayée États-Unis 20GB", "US"),
    ("Espagne et Portugal 10GB", "ES PT"),
    ("La Réunion 3GB", "RE"),
    ("Amérique du Nord 5GB", "region"),
    # Spanish
    ("eSIM Estados Unidos 5GB", "US"),
    ("Plan de datos Corea del Sur 3GB", "KR"),
    ("eSIM España 10GB 30 Days", "ES"),
    ("Islas Canarias 5GB", "no country"),
    ("República Dominicana 3GB", "DO"),
    # Italian
    ("eSIM Stati Uniti 10GB", "US"),
    ("Giappone e Corea del Sud 5GB", "JP KR"),
    ("eSIM Regno Unito 3GB", "GB"),
    ("Piano dati Paesi Bassi 5GB", "NL"),
    # Portuguese
    ("eSIM Estados Unidos da América 5GB", "US"),
    ("eSIM Coreia do Sul 3GB", "KR"),
    ("Plano de dados Itália 10GB", "IT"),
    ("Nova Zelândia 5GB", "NZ"),
    # Russian
    ("Турция 10 ГБ 30 дней", "TR"),
    ("eSIM Таиланд 5 ГБ", "TH"),
    ("Интернет Южная Корея 3 ГБ", "KR"),
    ("Казахстан и Узбекистан 5 ГБ", "KZ UZ"),
    ("Европа 10 ГБ", "region"),
    # Polish
    ("eSIM Stany Zjednoczone 5GB", "US"),
    ("Niemcy 3GB", "DE"),
    ("Włochy 10GB", "IT"),
    # Turkish
    ("eSIM Almanya 5GB", "DE"),
    ("Birleşik Arap Emirlikleri 3GB", "AE"),
    ("Japonya 10GB", "JP"),
    # Chinese
    ("日本 5GB 7 Days", "JP"),
    ("韩国 3GB", "KR"),
    ("泰国 不限流量", "TH"),
    ("中国香港 5GB", "HK"),
    ("美国和加拿大 10GB", "CA US"),
    ("台灣 5GB", "TW"),
    # Japanese and Korean
    ("韓国 3GB eSIM", "KR"),
    ("アメリカ合衆国 10GB", "US"),
    ("タイ 5GB", "TH"),
    ("일본 5GB eSIM", "JP"),
    ("미국 10GB", "US"),
    ("베트남 3GB", "VN"),
    # Arabic, Hebrew, Thai, Vietnamese, Indonesian, Dutch, Ukrainian
    ("eSIM تركيا 5GB", "TR"),
    ("المملكة العربية السعودية 10GB", "SA"),
    ("איטליה 5GB", "IT"),
    ("ญี่ปุ่น 5GB", "JP"),
    ("Nhật Bản 3GB", "JP"),
    ("Hàn Quốc 5GB", "KR"),
    ("Jepang 5GB", "JP"),
    ("Verenigd Koninkrijk 5GB", "GB"),
    ("Туреччина 5GB", "TR"),
]
