"""The languages of travellers: whole catalogues, and which one is chosen."""

import ast
import re
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from gateway.api import traveller_page
from gateway.travellers import esim_page_rules
from gateway.travellers.languages import LANGUAGES, SOURCE, choose, texts_in

TRANSLATED = [language for language in LANGUAGES if language != SOURCE]
CALLED = {"t", "texts"}
TEMPLATES = ("gateway/api/templates/traveller.html", "gateway/travellers/templates/email.html")
# Messages that are chosen by what an eSIM is, and handed on as values.
CHOSEN = {*esim_page_rules._STARTS.values(), *(text for *_, text in esim_page_rules._SENTENCES), traveller_page._ASK}
ROOT = Path(__file__).parents[3]


def messages():
    """Every message that the gateway has for travellers."""
    found = set(CHOSEN)
    for template in TEMPLATES:
        with (ROOT / template).open("rb") as file:
            found |= {message for _, message, *_ in extract(babel_extract, file, keywords={"t": None})}
    for file in (*ROOT.glob("gateway/travellers/*.py"), ROOT / "gateway/api/traveller_page.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLED and node.args:
                found |= {node.args[0].value} if is_text(node.args[0]) else set()
    return found


def is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def placeholders(text):
    return sorted(re.findall(r"{\w*}", text))


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_catalogue_translates_every_message_and_nothing_else(language):
    with resources.files("gateway.travellers").joinpath(f"locales/{language}.po").open("rb") as file:
        catalogue = {message.id: message for message in read_po(file, locale=language) if message.id}
    assert set(catalogue) == messages()
    assert [m.id for m in catalogue.values() if not m.string or m.fuzzy or m.string == m.id] == []
    assert [m.id for m in catalogue.values() if placeholders(m.id) != placeholders(m.string)] == []
    assert [m.id for m in catalogue.values() if m.string.strip() != m.string] == []


def test_there_are_twelve_languages_and_more_each_with_a_catalogue_and_two_from_right_to_left():
    files = {file.name for file in resources.files("gateway.travellers").joinpath("locales").iterdir()}
    assert files == {f"{language}.po" for language in TRANSLATED}
    assert len(LANGUAGES) >= 12
    assert [code for code in LANGUAGES if texts_in(code).direction == "rtl"] == ["he", "ar"]


@pytest.mark.parametrize(
    ("asked", "accepted", "chosen"),
    [
        ("de", "fr", "de"),
        (None, "fr-CA,en;q=0.8", "fr"),
        (None, "nl, de;q=0.5, ja;q=0.9", "ja"),
        ("xx", "pt-BR", "pt"),
        ("zh-Hant-TW", "", "zh"),
        (None, "iw", "he"),
        (None, "de;q=0, it;q=0.1", "it"),
        (None, "*", "en"),
        (None, "de;q=high;;,\u20ac" + "x" * 5000, "en"),
        ("../../etc", "", "en"),
    ],
)
def test_the_language_asked_for_comes_first_then_what_the_browser_prefers(asked, accepted, chosen):
    assert choose(asked, accepted) == chosen


@pytest.mark.parametrize(
    ("language", "amount", "days", "day", "country"),
    [
        ("en", "1.5 GB", "7 days", "January 2, 2027", "Japan"),
        ("de", "1,5 GB", "7 Tage", "2. Januar 2027", "Japan"),
        ("fr", "1,5 Go", "7 jours", "2 janvier 2027", "Japon"),
        ("ja", "1.5 GB", "7 日", "2027年1月2日", "日本"),
    ],
)
def test_amounts_days_and_countries_are_written_as_the_language_does(language, amount, days, day, country):
    texts = texts_in(language)
    plain = [text.replace("\xa0", " ").replace("\u202f", " ") for text in (texts.amount(1536), texts.days(7))]
    assert plain == [amount, days]
    assert (texts.day(datetime(2027, 1, 2, tzinfo=UTC)), texts.country("JP")) == (day, country)
    assert "512" in texts.amount(512)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_of_days_and_minutes_has_its_word(language):
    texts = texts_in(language)
    for text in (texts.days(1), texts.days(400), texts.minutes(100), texts.percent(75)):
        assert "duration" not in text
        assert any(letter.isdigit() for letter in text) or language in {"ar", "he"}
