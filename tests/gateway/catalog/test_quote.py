from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.index import Need, NoMatch
from gateway.catalog.quote import PREFIX, QuoteExpired, QuoteUnknown, _seal, _unseal, make_quote, open_quote
from gateway.kit.settings import load
from gateway.pricing.price_rules import PriceRule
from gateway.pricing.pricing_rules import only
from schemas import api
from schemas.errors import ConfigurationError
from schemas.features import Wanted
from schemas.money import Money
from schemas.quotes import NextBest, Quote
from tests.kit.made_up_market import NOW, Item, Market, offer
from tests.kit.secret_keys import NEW_SECRET_KEY, OLD_SECRET_KEY, SECRET_KEY

SETTINGS = load(secret_key=[SECRET_KEY])
MARKET = Market(
    [
        Item("a", offer("local", countries="JP", mb=3072, days=10, cost="9.00")),
        Item("b", offer("regional", countries="JP KR", mb=5120, days=15, cost="8.00")),
        Item("a", offer("endless", countries="JP KR TH", mb=None, days=30, cost="20.00")),
    ],
    rules=only(PriceRule(minimum_margin=Decimal("0.20"))),
)
INDEX = MARKET.index()


def quote(need: Need, settings=SETTINGS, storefront: str = "sf_one", now: datetime = NOW):
    return make_quote(INDEX, need, settings, storefront=storefront, mode="live", now=now)


def test_a_regional_plan_is_quoted_when_it_is_the_cheapest_and_the_quote_says_why() -> None:
    made = quote(Need(countries=("JP",), data_mb=3072, days=10))
    body = msgspec.json.decode(made.body, type=Quote)
    assert body.id == made.id
    assert body.plan.countries == ["JP", "KR"]
    assert body.price == api.Price("8.80", "USD")
    assert body.expires_at == NOW + timedelta(seconds=900)
    assert (body.why.plans_considered, body.why.plans_in_stock, body.why.rule) == (3, 3, "cheapest_in_stock")
    assert body.why.next_best == NextBest(MARKET.items[0].offer.plan_id, api.Price("9.90", "USD"))


def test_what_a_quote_holds_comes_back_to_the_storefront_that_asked() -> None:
    made = quote(Need(countries=("KR",), wanted=Wanted(), currency="EUR"))
    held = open_quote(made.id, SETTINGS, storefront="sf_one", mode="live", now=NOW)
    assert held.price == Money.of("8.15", "EUR")
    assert held.max_cost == Money.of(Decimal("8.15") * Decimal("1.08") - Decimal("0.20"), "USD")
    assert held.plan_id == MARKET.items[1].offer.plan_id
    assert held.expires_at == made.expires_at


def test_a_quote_of_the_release_before_holds_what_it_held() -> None:
    made = quote(Need(countries=("KR",)))
    fields = msgspec.json.decode(_unseal(SETTINGS, made.id))
    assert fields[7] == {}
    fields[7] = [True, False, False, True, "SG"]
    before = PREFIX + _seal(SETTINGS, msgspec.json.encode(fields))
    held = open_quote(before, SETTINGS, storefront="sf_one", mode="live", now=NOW)
    assert held.wanted == Wanted(topup=True, network="5G", exit_country="SG")
    assert held.plan_id == MARKET.items[1].offer.plan_id


@pytest.mark.parametrize(("storefront", "mode"), [("sf_two", "live"), ("sf_one", "test")])
def test_a_quote_of_another_storefront_or_mode_is_unknown(storefront: str, mode: str) -> None:
    made = quote(Need(countries=("JP",)))
    with pytest.raises(QuoteUnknown):
        open_quote(made.id, SETTINGS, storefront=storefront, mode=mode, now=NOW)


def test_a_quote_is_good_until_it_expires() -> None:
    made = quote(Need(countries=("JP",)))
    open_quote(made.id, SETTINGS, storefront="sf_one", mode="live", now=made.expires_at - timedelta(seconds=1))
    with pytest.raises(QuoteExpired):
        open_quote(made.id, SETTINGS, storefront="sf_one", mode="live", now=made.expires_at)


def test_a_key_that_was_rotated_still_opens_quotes_and_a_new_one_seals_them() -> None:
    old, new = OLD_SECRET_KEY, NEW_SECRET_KEY
    made = quote(Need(countries=("JP",)), load(secret_key=[old]))
    both = load(secret_key=[new, old])
    open_quote(made.id, both, storefront="sf_one", mode="live", now=NOW)
    sealed = quote(Need(countries=("JP",)), both)
    with pytest.raises(QuoteUnknown):
        open_quote(sealed.id, load(secret_key=[old]), storefront="sf_one", mode="live", now=NOW)


def test_the_cost_cannot_be_read_from_a_quote() -> None:
    import base64

    made = quote(Need(countries=("JP",)))
    raw = base64.urlsafe_b64decode(made.id.removeprefix("qt_") + "==")
    assert b"8.8" not in raw
    assert b"sf_one" not in raw
    assert b"cost" not in made.body


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: "qt_" + raw.hex()))
def test_a_text_that_is_no_quote_is_unknown(text: str) -> None:
    with pytest.raises(QuoteUnknown):
        open_quote(text, SETTINGS, storefront="sf_one", mode="live", now=NOW)


def test_a_changed_quote_is_unknown() -> None:
    token = quote(Need(countries=("JP",))).id
    changed = token[:40] + ("A" if token[40] != "A" else "B") + token[41:]
    with pytest.raises(QuoteUnknown):
        open_quote(changed, SETTINGS, storefront="sf_one", mode="live", now=NOW)


def test_quotes_need_a_secret_key() -> None:
    with pytest.raises(ConfigurationError, match="GATEWAY_SECRET_KEY"):
        quote(Need(countries=("JP",)), load(secret_key=[]))


@pytest.mark.parametrize(
    ("need", "missing"),
    [
        (Need(countries=("AQ",)), "no plan covers AQ"),
        (Need(countries=("JP", "AQ")), "no plan covers JP and AQ"),
        (Need(countries=("JP",), days=60), "lasts 60 days"),
        (Need(countries=("JP",), unlimited=True, days=31), "lasts 31 days"),
        (Need(countries=("JP",), wanted=Wanted(topup=True)), "has top-up"),
        (Need(countries=("JP",), wanted=Wanted(exit_country="HK")), "exit in HK"),
        (Need(countries=("JP",), wanted=Wanted(network="5G")), "has 5G"),
        (Need(countries=("JP",), wanted=Wanted(operator="Docomo")), "has Docomo in each country"),
        (Need(countries=("JP",), wanted=Wanted(kyc_required=False)), "has kyc_required False"),
        (Need(plan_id="no-such-plan"), "no plan no-such-plan"),
    ],
)
def test_without_a_match_it_says_what_there_was_none_of(need: Need, missing: str) -> None:
    made = quote(need)
    assert isinstance(made, NoMatch)
    assert made.code == "no_plan"
    assert missing in made.missing


def test_a_plan_by_its_id_is_quoted_whatever_else_is_cheaper() -> None:
    made = quote(Need(plan_id=MARKET.items[2].offer.plan_id))
    assert msgspec.json.decode(made.body, type=Quote).price.amount == "22.00"


def test_a_daily_plan_counts_for_the_days_of_the_need() -> None:
    market = Market([Item("a", offer("daily", mb=1024, days=10, daily=True))])
    index = market.index()
    assert isinstance(index.choose(Need(countries=("JP",), data_mb=5 * 1024, days=4)), NoMatch)
    assert not isinstance(index.choose(Need(countries=("JP",), data_mb=4 * 1024, days=4)), NoMatch)
    assert not isinstance(index.choose(Need(countries=("JP",), data_mb=10 * 1024)), NoMatch)
