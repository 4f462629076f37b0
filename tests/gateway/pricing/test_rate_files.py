"""Lists of rates as others write them: read exactly, or refused with what is wrong."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from gateway.pricing.rate_files import RateListError, rates_of, read_ecb, read_file, read_json, shipped
from tests.kit.rate_source import ecb_xml

TODAY = date(2026, 11, 20)


def test_the_bank_s_list_is_read_with_all_its_days():
    first, second = read_ecb(ecb_xml({"2026-11-19": {"USD": "1.07"}, "2026-11-20": {"USD": "1.0823", "IDR": "17550"}}))
    assert (first.as_of, second.as_of, second.base) == (date(2026, 11, 19), TODAY, "EUR")
    assert second.figures == {"USD": Fraction("1.0823"), "IDR": 17550}


BOMB = b"""<?xml version="1.0"?><!DOCTYPE bomb [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>
<Cube time='2026-11-20'><Cube currency='USD' rate='&b;'/></Cube>"""


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html><body>moved</body></html>", "no day"),
        (b"<Cube time='2026-11-20'/>", "no day"),
        (b"not xml", "not valid XML"),
        (b"", "not valid XML"),
        (BOMB, "document type declaration"),
        (b"<Cube time='2026-11-20'><Cube currency='USD' rate='0'/></Cube>", "above 0"),
        (b"<Cube time='2026-11-20'><Cube currency='USD' rate='NaN'/></Cube>", "above 0"),
        (b"<Cube time='2026-11-20'><Cube currency='USD' rate='1e999999999'/></Cube>", "above 0"),
        (b"<Cube time='2026-11-20'><Cube currency='USD'/></Cube>", "is no rate"),
        (b"<Cube time='2026-11-20'><Cube currency='dollar' rate='1'/></Cube>", "no currency"),
        (b"<Cube time='soon'><Cube currency='USD' rate='1'/></Cube>", "no date"),
    ],
)
def test_what_is_no_list_of_the_bank_is_refused(body, why):
    with pytest.raises(RateListError, match=why):
        read_ecb(body)


def test_a_service_s_fields_are_named_by_the_settings():
    body = b'{"result": {"from": "USD", "quotes": {"IDR": 16250.50, "XAG2": 1}}, "at": 1795046400}'
    found = read_json(body, "result.from", "result.quotes", "at", TODAY)
    assert (found.base, found.as_of, found.figures) == ("USD", date(2026, 11, 19), {"IDR": Fraction("16250.5")})
    body = b'{"base": "USD", "date": "2026-11-18T00:00:00Z", "rates": {"IDR": 16250}}'
    assert read_json(body, "base", "rates", "", TODAY).as_of == TODAY
    assert read_json(body, "base", "rates", "date", TODAY).as_of == date(2026, 11, 18)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b"[]", "no field 'rates'"),
        (b'{"rates": [1]}', "no object of rates"),
        (b'{"rates": {"IDR": "dear"}, "base": "USD"}', "is no rate"),
        (b'{"rates": {"IDR": -1}, "base": "USD"}', "above 0"),
        (b'{"rates": {"IDR": 1}, "base": 7}', "no currency"),
        (b'{"rates": {}, "base": "USD"}', "no rates"),
    ],
)
def test_what_is_no_such_answer_is_refused(body, why):
    with pytest.raises(RateListError, match=why):
        read_json(body, "base", "rates", "", TODAY)


TOML = "base = 'USD'\n[[rates]]\ndate = '2026-11-01'\nsource = 'the bank'\nEUR = '1.08'\nAUD = '0.65'\n"


def test_a_file_is_toml_csv_or_the_bank_s_list():
    (found,) = read_file(TOML)
    told = rates_of(found, "USD", {}, found.source, "imported")
    assert [(rate.currency, str(rate.rate), rate.source) for rate in told] == [
        ("AUD", "0.65", "the bank"), ("EUR", "1.08", "the bank"),
    ]  # fmt: skip
    (found,) = read_file("date,base,currency,rate\n2026-11-20,USD,IDR,16250\n\n2026-11-20,USD,EGP,49.5\n")
    assert (found.base, found.as_of, found.figures) == ("USD", TODAY, {"IDR": 16250, "EGP": Fraction("49.5")})
    assert read_file(ecb_xml({"2026-11-20": {"USD": "1.0823"}}).decode())[0].as_of == TODAY


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("not toml at all", "config/fx.toml"),
        ("base = 'USD'", "'rates' is missing"),
        ("base = 'USD'\n[[rates]]\nsource = 'x'\nEUR = '1'", "'date' is missing"),
        ("base = 'USD'\n[[rates]]\ndate = '2026-11-01'\nsource = 'x'\nEUR = '0'", "above 0"),
        ("base = 'USD'\n[[rates]]\ndate = '2026-11-01'\nsource = 'x'\nEUR = 'dear'", "is no rate"),
        ("base = 'USD'\n[[rates]]\ndate = '2026-11-01'\nsource = 'x'", "no rates"),
        ("date,base,currency,rate\n2026-11-20,USD,IDR", "line 2 has not the columns"),
        ("date,base,currency,rate\n", "no rates"),
        ("date,base,currency,rate\na\rb", "not valid CSV"),
        ("date,base,currency,rate\nsoon,USD,IDR,1", "no date"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(text, why):
    with pytest.raises(RateListError, match=why):
        read_file(text)


def test_the_shipped_file_is_told_in_another_base_by_its_own_rate():
    in_euro = {rate.currency: rate for rate in shipped("EUR")}
    assert "EUR" not in in_euro
    assert (in_euro["USD"].rate, in_euro["USD"].kind) == (Decimal("0.925925925926"), "shipped")
    assert {rate.currency: rate.rate for rate in shipped("USD")}["EUR"] == Decimal("1.08")
    assert shipped("XXX") == ()
