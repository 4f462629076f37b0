from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.pricing.price_rules import DECIDING, NoRate, PriceRule, Rates, deciding, deciding_column, margin_of, price
from gateway.pricing.pricing_rules import Conditions, Rule, Subject, changes_at, matches, only, sets_at, terms_text
from schemas.money import Money, currency_digits
from schemas.plan import Scope

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RATES = Rates("USD", {"EUR": Decimal("1.08"), "JPY": Decimal("0.0066"), "KWD": Decimal("3.26")})
PLAIN = PriceRule()
REGIONS = {"europe": ("DE", "FR"), "asia": ("JP", "KR")}
JAPAN = Subject("pikasim", "jp-1gb", ("JP",), 1000)


def rule(number: int, price_rule: PriceRule = PLAIN, *, name: str = "R", **when: object) -> Rule:
    return Rule(f"pr_{number}", number, name, Conditions(**when), price_rule)


def of(*rules: Rule, storefront: str | None = None, now: datetime = NOW, default: PriceRule = PLAIN):
    return sets_at(rules, default, now, REGIONS).of(storefront)


amounts = st.one_of(st.none(), st.decimals("0.01", 40, places=2))
price_rules = st.builds(
    PriceRule,
    percent=st.decimals(0, 300, places=2),
    fixed=st.decimals(0, 9, places=2),
    rounding=st.sampled_from(["currency", ".99"]),
    minimum_margin=st.decimals(0, 6, places=3),
    floor=amounts,
    ceiling=amounts,
    currency=st.sampled_from([None, "USD", "EUR", "JPY"]),
)
conditions = st.builds(
    Conditions,
    storefront=st.sampled_from([None, None, "one", "two"]),
    supplier=st.sampled_from([None, None, "pikasim", "s2s"]),
    countries=st.sampled_from([(), (), ("JP",), ("JP", "KR", "DE")]),
    region=st.sampled_from([None, None, "europe", "asia", "nowhere"]),
    scope=st.sampled_from([None, None, Scope.COUNTRY, Scope.REGION]),
    min_data_mb=st.sampled_from([None, 1024, 4096]),
    max_data_mb=st.sampled_from([None, 1024, 4096]),
    unlimited=st.sampled_from([None, None, True, False]),
    plan_ids=st.sampled_from([(), (), ("jp-1gb",)]),
)
rule_lists = st.lists(st.tuples(conditions, price_rules), max_size=6).map(
    lambda pairs: [Rule(f"pr_{at}", at, f"R{at}", when, made) for at, (when, made) in enumerate(pairs, 1)]
)
subjects = st.builds(
    Subject,
    st.sampled_from(["pikasim", "s2s", "beppay"]),
    st.sampled_from(["jp-1gb", "other"]),
    st.sampled_from([("JP",), ("JP", "KR"), ("DE", "FR"), ("US",)]),
    st.sampled_from([None, 500, 1000, 3000, 9000]),
)


@pytest.mark.no_cover  # other tests run the same lines
@settings(max_examples=400, deadline=None)
@given(
    rules=rule_lists,
    default=price_rules,
    subject=subjects,
    storefront=st.sampled_from([None, "one", "two"]),
    cost=st.decimals("0.0001", 500, places=4),
    currency=st.sampled_from(["USD", "EUR", "JPY", "KWD"]),
)
def test_no_rule_set_sells_under_the_floor_or_the_minimum_margin_or_over_a_ceiling_that_these_allow(
    rules, default, subject, storefront, cost, currency
) -> None:
    found = of(*rules, storefront=storefront, default=default)
    ruling = found.of(subject)
    sold = price(Money(cost, "USD"), ruling, RATES, currency)
    rate, own = Fraction(RATES.of(currency)), Fraction(RATES.of(ruling.currency or "USD"))
    in_base, step = Fraction(sold.amount) * rate, rate / 10 ** currency_digits(currency)
    least = Fraction(cost) + Fraction(margin_of(ruling, RATES))
    floor = Fraction(ruling.floor or 0) * own
    assert in_base >= max(least, floor)
    if ruling.ceiling is not None:
        assert in_base < max(Fraction(ruling.ceiling) * own, least, floor) + step
    assert sold.amount == sold.amount.quantize(Decimal(1).scaleb(-currency_digits(currency)))
    first = next((one for one in rules if _prices(one, subject, storefront)), None)
    assert found.find(subject) == (
        len(found.rules) if first is None else [one.id for one in found.rules].index(first.id)
    )


def _prices(one: Rule, subject: Subject, storefront: str | None) -> bool:
    when = one.when
    places = None if not when.countries else frozenset(when.countries)
    if when.region is not None:
        region = frozenset(REGIONS.get(when.region, ()))
        places = region if places is None else places & region
    return when.storefront in (None, storefront) and matches(when, places, subject)


@given(rule=price_rules, costs=st.lists(st.integers(1, 10**7), min_size=2, max_size=20), scale=st.integers(0, 6))
def test_dearer_costs_never_get_lower_prices_whatever_bounds_there_are(rule, costs, scale) -> None:
    prices = [price(Money(Decimal(cost).scaleb(-scale), "USD"), rule, RATES, "EUR").amount for cost in sorted(costs)]
    assert prices == sorted(prices)


@given(rule=price_rules, costs=st.lists(st.integers(1, 10**7), min_size=1, max_size=20), scale=st.integers(0, 6))
def test_what_decides_a_price_is_told_alike_one_by_one_and_in_a_column(rule, costs, scale) -> None:
    column = deciding_column(np.array(costs, dtype=np.int64), scale, rule, RATES, "USD")
    singly = [deciding(Money(Decimal(cost).scaleb(-scale), "USD"), rule, RATES, "USD") for cost in costs]
    assert [DECIDING[at] for at in column.tolist()] == singly


@pytest.mark.parametrize(
    ("cost", "expected", "bound"),
    [
        ("1.00", "3.00", "raised to its floor"),
        ("3.00", "3.99", None),
        ("7.00", "8.00", "lowered to its ceiling"),
        ("8.00", "8.50", "raised to the cost and the minimum margin"),
    ],
)
def test_floor_and_minimum_margin_win_over_the_ceiling_and_words_say_which(cost, expected, bound) -> None:
    bounds = PriceRule(
        Decimal(20), rounding=".99", minimum_margin=Decimal("0.50"), floor=Decimal(3), ceiling=Decimal(8)
    )
    found = of(rule(1, msgspec.structs.replace(bounds, currency="USD"), name="Europe"))
    base = Money.of(cost, "USD")
    assert price(base, found.of(JAPAN), RATES, "USD") == Money.of(expected, "USD")
    words = "rule 1: Europe +20 %, rounded to .99, at most 8.00 USD, at least 3.00 USD, margin at least 0.50 USD"
    assert found.explain(0, base, RATES, "USD") == words + (f"; {bound}" if bound else "")


def test_words_are_short_where_there_is_little_to_say() -> None:
    found = of(rule(3, PriceRule(Decimal(18), rounding=".99"), name="Europe"))
    assert found.explain(0, Money.of("5.00", "USD"), RATES, "USD") == "rule 3: Europe +18 %, rounded to .99"
    assert found.describe(1) == "default: +10 %"
    assert terms_text(PriceRule(Decimal("2.50"), Decimal("0.5"), currency="EUR")) == "+2.5 % +0.50 EUR"


def test_the_first_rule_that_matches_prices_an_offer_and_the_default_what_is_left() -> None:
    found = of(rule(1, supplier="s2s"), rule(2, countries=("JP", "KR")), rule(3), default=PriceRule(Decimal(1)))
    assert found.find(JAPAN) == 1
    assert found.find(JAPAN._replace(supplier="s2s")) == 0
    assert found.find(JAPAN._replace(coverage=("JP", "US"))) == 2
    assert of(default=PriceRule(Decimal(1))).of(JAPAN).percent == 1


def test_storefronts_without_rules_of_their_own_share_one_set() -> None:
    sets = sets_at([rule(1, storefront="one"), rule(2)], PriceRule(), NOW, REGIONS)
    assert set(sets.own) == {"one"}
    assert [one.id for one in sets.of("one").rules] == ["pr_1", "pr_2"]
    assert sets.of("two") is sets.of(None) is sets.shared
    assert sets.shared.digest == of(rule(2)).digest != sets.of("one").digest


def test_a_set_is_known_by_what_decides_prices_and_not_by_names() -> None:
    assert of(rule(1, name="A")).digest == of(rule(1, name="B")).digest
    digests = {
        of().digest,
        of(default=PriceRule(minimum_margin=Decimal(1))).digest,
        of(rule(1, region="asia")).digest,
        of(rule(1, region="europe")).digest,
        of(rule(1, PriceRule(floor=Decimal(1)))).digest,
        of(rule(1, PriceRule(ceiling=Decimal(1)))).digest,
        of(rule(1, PriceRule(currency="EUR", fixed=Decimal(1)))).digest,
        of(rule(1, PriceRule(fixed=Decimal(1)))).digest,
        only(PriceRule(rounding=".99")).digest,
    }
    assert len(digests) == 9


def test_a_rule_without_a_minimum_margin_has_that_of_the_settings() -> None:
    own = msgspec.structs.replace(rule(1, PriceRule(Decimal(0), currency="EUR")), own_margin=False)
    (settled,) = of(own, default=PriceRule(minimum_margin=Decimal("0.70"))).rules
    assert margin_of(settled.price, RATES) == Decimal("0.70")
    assert price(Money.of("2.00", "USD"), settled.price, RATES, "USD") == Money.of("2.70", "USD")


def test_dates_and_the_switch_put_rules_in_force_and_out_of_it() -> None:
    day = timedelta(days=1)
    dated = msgspec.structs.replace(rule(1), valid_from=NOW, valid_until=NOW + day)
    off = msgspec.structs.replace(rule(2), enabled=False, valid_from=NOW + day / 2)
    assert [len(of(dated, off, now=at).rules) for at in (NOW - day, NOW, NOW + day / 2, NOW + day)] == [0, 1, 1, 0]
    assert changes_at([dated, off], NOW - day) == NOW
    assert changes_at([dated, off], NOW) == NOW + day
    assert changes_at([dated, off], NOW + day) is None


def test_a_region_that_is_there_no_more_matches_nothing() -> None:
    assert of(rule(1, region="nowhere")).find(JAPAN) == 1


def test_amounts_in_a_currency_without_a_rate_price_nothing() -> None:
    with pytest.raises(NoRate, match="XYZ"):
        price(Money.of("1", "USD"), PriceRule(fixed=Decimal(1), currency="XYZ"), RATES, "USD")
