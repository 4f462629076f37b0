"""Classes of plan names in the languages of the feeds. Every row was labelled by hand before it was read."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from providers.kit import durations, product_kinds, units
from providers.s2s import mapping, wire
from providers.s2s.sources import PRODUCT_NAME, AttributeCodes, terms_of_name
from schemas.plan import AfterFullSpeed, FullSpeed, Offer, Period, Reset

NOTHING = AfterFullSpeed()
PRICE = wire.Price("sku-1", "fixed", Decimal("4.90"), "USD", 7, 1)


def mapped(name: str, codes: str = "") -> str:
    """The plan that an item of this name is, with these codes beside it, or the reason why it is none."""
    sku = wire.Sku("sku-1", name, attributes={"country": codes} if codes else None)
    of = mapping.described(wire.Product("p-1", "esim", None, "fixed"))
    found = mapping.offer_or_reason(of, sku, PRICE, AttributeCodes(country="country"), msgspec.Raw(b"{}"))
    if not isinstance(found, Offer):
        return found.reason.value
    return f"{' '.join(found.coverage)}: {found.data.declared}, {found.validity.days}"


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("Gibraltar (UK) 3GB 15 Days", "GI"),
        ("Гибралтар 3 ГБ 15 дней", "GI"),
        ("eSIM Hồng Kông 3GB 5 ngày", "HK"),
        ("홍콩 3GB 5일", "HK"),
        ("ฮ่องกง 3GB 5 วัน", "HK"),
        ("台灣 5GB 7天", "TW"),
        ("대만 5GB 7일", "TW"),
        ("Đài Loan 5GB 7 ngày", "TW"),
        ("Makao 2 GB 7 gün", "MO"),
        ("澳門 2GB 3天", "MO"),
        ("グアム 3GB 5日間", "GU"),
        ("괌 3GB 5일", "GU"),
        ("La Réunion 5 Go 14 jours", "RE"),
        ("Reunião 5GB 14 dias", "RE"),
        ("Guadeloupe et Martinique 5 Go 14 jours", "GP MQ"),
        ("Porto Rico 10 GB 30 dias", "PR"),
        ("Färöer 1 GB 7 Tage", "FO"),
        ("Гренландия 1 ГБ 7 дней", "GL"),
        ("Nueva Caledonia 3 GB 15 días", "NC"),
        ("Isole Cayman 1 GB 7 giorni", "KY"),
        ("香港/澳門 3GB 5天", "HK MO"),
        ("中国・香港・マカオ 3GB 5日間", "CN HK MO"),
        ("Hong Kong, China 3GB 5 days", "unread"),  # Hong Kong alone, or both
        ("Saipan 3GB 5 days", "no country"),
        ("Hawaii 3GB 5 days", "no country"),
    ],
)
def test_a_territory_is_itself_in_every_language(name: str, codes: str) -> None:
    place = terms_of_name(PRODUCT_NAME, name).place
    read = "unread" if place is None else " ".join(place.codes) or place.kind.value.replace("_", " ")
    assert read == codes


@pytest.mark.parametrize(
    ("text", "full_speed", "after"),
    [
        ("Không giới hạn", None, NOTHING),
        ("tanpa batas", None, NOTHING),
        ("ไม่จำกัด", None, NOTHING),
        ("เน็ตไม่อั้น", None, NOTHING),
        ("吃到飽", None, NOTHING),
        ("吃到饱", None, NOTHING),
        ("безлімітний інтернет", None, NOTHING),
        ("nieograniczone dane", None, NOTHING),
        ("neomezená data", None, NOTHING),
        ("korlátlan adat", None, NOTHING),
        ("ללא הגבלה", None, NOTHING),
        ("Безлимит 512 Кбит/с", FullSpeed(0), AfterFullSpeed(512, cut_off=False)),
        ("безлимит 10 Мбит/с", FullSpeed(None), NOTHING),
        ("безлимит: 1 ГБ в день, далее 384 Кбит/с", FullSpeed(1000, Period.DAY), AfterFullSpeed(384, cut_off=False)),
        ("無限流量 128kbps", FullSpeed(0), AfterFullSpeed(128, cut_off=False)),
        ("無限流量 10Mbps", FullSpeed(None), NOTHING),
        ("무제한 (매일 2GB, 이후 1Mbps)", FullSpeed(2000, Period.DAY), AfterFullSpeed(1000, cut_off=False)),
        ("Sınırsız (1GB/gün)", FullSpeed(1000, Period.DAY), NOTHING),
        ("Không giới hạn (1GB/ngày tốc độ cao)", FullSpeed(1000, Period.DAY), NOTHING),
        (
            "3 GB per day at full speed, then ∞ at 1Mbps",
            FullSpeed(3000, Period.DAY),
            AfterFullSpeed(1000, cut_off=False),
        ),
    ],
)
def test_unlimited_is_read_in_its_kinds(text: str, full_speed: FullSpeed | None, after: AfterFullSpeed) -> None:
    found = units.declared_from_text(text)
    assert found is not None
    assert (found.unlimited, found.full_speed, found.after) == (True, full_speed, after)


@pytest.mark.parametrize(
    "text",
    [
        "10GB 不限速",
        "5GB, không giới hạn cuộc gọi",
        "10 GB, telepon tanpa batas",
        "3GB 通話無制限",
        "5 ГБ, безлимитные смс",
        "LINE使い放題 3GB",
        "유튜브 무제한 5GB",
        "YouTube ไม่อั้น 5GB",
        "10 ГБ + безлимит на соцсети",
        "Безлимитные мессенджеры",
        "5GB 不限设备",
        "5GB sınırsız sosyal medya",
        "Redes sociales ilimitadas 5GB",
        "Datos ilimitados en redes sociales",
        "illimité la nuit",
        "Nielimitowane rozmowy i SMS 5 GB",
        "Korlátlan hívás 5 GB",
        "5GB tốc độ không giới hạn",
    ],
)
def test_unlimited_speed_calls_or_apps_are_no_unlimited_data(text: str) -> None:
    found = units.declared_from_text(text)
    assert found is None or not found.unlimited


DAILY, MONTHLY, TOTAL = Reset.DAILY, Reset.MONTHLY, Reset.NEVER


@pytest.mark.parametrize(
    ("text", "mb", "reset"),
    [
        ("2GB/ngày", 2000, DAILY),
        ("mỗi ngày 1GB", 1000, DAILY),
        ("1GB hàng ngày", 1000, DAILY),
        ("500MB/hari", 500, DAILY),
        ("1GB per hari", 1000, DAILY),
        ("kuota harian 1GB", 1000, DAILY),
        ("1GB/วัน", 1000, DAILY),
        ("วันละ 2GB", 2000, DAILY),
        ("1GB ต่อวัน", 1000, DAILY),
        ("1日1GB", 1000, DAILY),
        ("1 GB/den", 1000, DAILY),
        ("1 GB denně", 1000, DAILY),
        ("1 GB pr. dag", 1000, DAILY),
        ("1 GB pe zi", 1000, DAILY),
        ("1 ГБ в сутки", 1000, DAILY),
        ("1 ГБ на добу", 1000, DAILY),
        ("1,5 ГБ/день", 1500, DAILY),
        ("1 Go/j", 1000, DAILY),
        ("500MB/일 제공", 500, DAILY),
        ("1GB高速/天", 1000, DAILY),
        ("500MB(高速)/日", 500, DAILY),
        ("1GB流量/天", 1000, DAILY),
        ("10GB/月", 10_000, MONTHLY),
        ("10GB/월", 10_000, MONTHLY),
        ("10GB/tháng", 10_000, MONTHLY),
        ("10GB/bulan", 10_000, MONTHLY),
        ("10GB ต่อเดือน", 10_000, MONTHLY),
        ("韩国/日本 5GB", 5000, TOTAL),
        ("한국/일본 5GB", 5000, TOTAL),
        ("5GB/日韓", 5000, TOTAL),
        ("5GB/일본", 5000, TOTAL),
        ("5GB/7日", 5000, TOTAL),
        ("3GB/5 ngày", 3000, TOTAL),
        ("20 + 10 ГБ", 30_000, TOTAL),
        ("10 GB (+2 GB gratis)", 12_000, TOTAL),
        ("1.024 MB", 1000, TOTAL),
        ("2 Гб", 2000, TOTAL),
        ("3ギガ", 3000, TOTAL),
        ("0,5 ТБ", 500_000, TOTAL),
        ("5 غيغابايت", 5000, TOTAL),
        ("5GB hotspot", 5000, TOTAL),
    ],
)
def test_amounts_and_their_days_or_months_are_read_in_every_language(text: str, mb: int, reset: Reset) -> None:
    found = units.declared_from_text(text)
    assert found is not None
    assert (found.mb, found.reset, found.unlimited) == (mb, reset, False)


@pytest.mark.parametrize(
    "text",
    [
        "10GB + 5GB night",
        "4GB + 4GB Malam + 2GB Chat",
        "5GB WhatsApp",
        "2GB YouTube",
        "10GB + 5GB (nights)",
        "50GB + 15GB hotspot",
        "5GB + 1GB lokal",
        "8GB + 2GB EU roaming",
        "5 ГБ + 5 ГБ ночью",
        "日本国内500MB付き",
        "10GB hoặc 5GB",
        "8GB Europa / 80GB España",
        "1GB + 500MB/ngày",
        "5G",
        "30 SMS",
    ],
)
def test_an_amount_that_is_not_for_every_use_or_not_the_only_one_is_none(text: str) -> None:
    assert units.declared_from_text(text) is None


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("7 ngày", 7),
        ("2 tuần", 14),
        ("1 tháng", 30),
        ("1 năm", 365),
        ("30 hari", 30),
        ("1 bulan", 30),
        ("7 วัน", 7),
        ("15วัน", 15),
        ("1 เดือน", 30),
        ("72 ชั่วโมง", 3),
        ("14 dagar", 14),
        ("10 dní", 10),
        ("7 nap", 7),
        ("30 de zile", 30),
        ("7 днів", 7),
        ("30 дни", 30),
        ("10 ημέρες", 10),
        ("14 ימים", 14),
        ("5일간", 5),
        ("3日間(72時間)", 3),
        ("24ชม.", 1),
        ("12 tháng", 365),
        ("7-15 ngày", None),
        ("7~15วัน", None),
        ("5 ngày 10 ngày", None),
        ("12 giờ", None),
        ("2 години", None),  # hours in Ukrainian, years in Bulgarian
        ("2日 48時間（有効期間180日）", None),
    ],
)
def test_durations_are_read_in_every_language(text: str, days: int | None) -> None:
    assert durations.in_text(text)[0] == days


@pytest.mark.parametrize(
    "name",
    [
        "SIM vật lý Thái Lan 8 ngày 8GB",
        "Nạp thêm 5GB Nhật Bản",
        "+5 GB · 30 dias",
        "일본 4G 유심 (매일 1GB/5일)",
        "タイ用データSIMカード 30日間",
        "Isi ulang 5GB",
        "เติมเงิน 5GB",
        "Fiziksel SIM Türkiye 10GB",
        "SIM fisik Jepang 5GB",
        "ซิมการ์ด ญี่ปุ่น 7 วัน",
        "Doładowanie 10 GB",
        "Ek paket 3 GB 7 gün",
    ],
)
def test_a_top_up_or_a_card_is_named_in_every_language(name: str) -> None:
    assert product_kinds.other_kind(name)


@pytest.mark.parametrize(
    "name",
    [
        "일본 이심 5GB 7일",
        "일본 eSIM/유심 5GB 7일",
        "eSIM・SIMカード共通 5GB",
        "20+10 GB Japan 30 Days",
        "Japan 5GB + 500MB",
        "eSIM Thái Lan 5GB 7 ngày",
        "eSIM ญี่ปุ่น 5GB 7 วัน",
        "eSIM Jepang 5GB 7 hari",
        "eSIM Türkiye 5GB 7 gün",
        "Discover+ 5 GB 30 days",
    ],
)
def test_an_esim_is_none(name: str) -> None:
    assert product_kinds.other_kind(name) is None


@pytest.mark.parametrize(
    ("name", "codes", "plan"),
    [
        ("Zorblax Mobile - 5 GB - 30 days", "TD", "TD: 5 GB, 30"),
        ("Kleurnet - Unlimited - 10 days", "BE", "BE: Unlimited, 10"),
        ("Blue+ - 2 GB - 20 SMS - 40 Mins - 15 days", "US", "US: 2 GB, 15"),
        ("中國電信／CSL · 5天 · 每日 2GB", "CN,HK", "CN HK: 2 GB/day, 5"),
        ("Vinaphone · 9天 · 無限流量 10Mbps", "VN", "VN: Unlimited, 9"),
        ("Европа (35 направлений) — 3 ГБ, 15 дней", "FR,DE", "DE FR: 3 GB, 15"),
        ("Châu Âu 10GB 30 ngày", "FR,DE,IT", "DE FR IT: 10 GB, 30"),
        ("여행 3일간 매일 1GB 고속 데이터", "JP", "JP: 1 GB/day, 3"),
        ("SoSIM 50GB 30일 33홍콩달러", "HK", "HK: 50 GB, 30"),
        ("Tarif zum Reisen 5GB 30 Tage", "AT", "AT: 5 GB, 30"),
        ("eSIM для Турции: 20 ГБ на 30 дней", "TR", "TR: 20 GB, 30"),
        ("France 5GB 30 days", "ES", "contradictory"),
        ("日本 5GB 7天", "KR", "contradictory"),
        ("Zorblax 5 GB", "TD", "no_validity"),
        ("Zorblax 30 days", "TD", "no_data_amount"),
        ("+5 GB 30 days", "TD", "not_a_new_esim"),
    ],
)
def test_a_name_that_names_no_place_is_read_beside_a_code(name: str, codes: str, plan: str) -> None:
    assert mapped(name, codes) == plan


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("日本 Japan 5GB 7天 7 Days", "JP: 5 GB, 7"),
        ("Japan日本 每日1GB 5天", "JP: 1 GB/day, 5"),
        ("한국 Korea eSIM 3GB 5일", "KR: 3 GB, 5"),
        ("Thailand ไทย 5GB 7 วัน", "TH: 5 GB, 7"),
        ("Việt Nam (Vietnam) 5GB 7 ngày", "VN: 5 GB, 7"),
        ("Türkiye / Turkey 3 GB 15 Gün", "TR: 3 GB, 15"),
        ("Deutschland/Germany 5GB 30 Tage", "DE: 5 GB, 30"),
        ("España - Spain 10GB 30 días", "ES: 10 GB, 30"),
        ("香港 Hong Kong 2GB 3日", "HK: 2 GB, 3"),
        ("【韓国 Korea】10日間 5GB", "KR: 5 GB, 10"),
        ("[일본 Japan] 무제한 7일", "JP: Unlimited, 7"),
        ("Япония (Japan) 5 ГБ 7 дней / 7 days", "JP: 5 GB, 7"),
        ("日本 Korea 5GB 7天", "JP KR: 5 GB, 7"),
        ("Japan 5GB 7 ngày 10 days", "no_validity"),
        ("Japan 5GB 3 ГБ 7 days", "no_data_amount"),
    ],
)
def test_a_name_in_two_languages_is_one_plan(name: str, plan: str) -> None:
    assert mapped(name) == plan


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("Japan 10GB/month 12 months", "JP: 10 GB/month, 365"),
        ("Германия 5 ГБ в месяц, 12 месяцев", "DE: 5 GB/month, 365"),
        ("日本 每月10GB 12个月", "JP: 10 GB/month, 365"),
        ("일본 매월 10GB 12개월", "JP: 10 GB/month, 365"),
        ("France 20 Go par mois, 6 mois", "FR: 20 GB/month, 180"),
        ("Italia 10 GB al mese 3 mesi", "IT: 10 GB/month, 90"),
        ("España 5GB al mes 12 meses", "ES: 5 GB/month, 365"),
        ("Thái Lan 10GB/tháng 3 tháng", "TH: 10 GB/month, 90"),
        ("Türkiye aylık 10GB 12 ay", "TR: 10 GB/month, 365"),
        ("Polska 10 GB miesięcznie 12 miesięcy", "PL: 10 GB/month, 365"),
        ("Japan 10GB monthly 30 days", "JP: 10 GB, 30"),
        ("Deutschland 10GB pro Monat, 1 Monat", "DE: 10 GB, 30"),
        ("Japan 10GB/12 months", "JP: 10 GB, 365"),
        ("USA 12GB 12 Months (1GB per month)", "no_data_amount"),
    ],
)
def test_a_month_s_amount_comes_again_where_the_plan_lasts_for_several(name: str, plan: str) -> None:
    assert mapped(name) == plan
