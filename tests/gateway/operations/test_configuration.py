"""What operators set, as a file: read, written, compared with what stands."""

import pytest

from gateway.operations.configuration_file import (
    AlertChannelEntry,
    AlertRuleEntry,
    Configuration,
    StopEntry,
    StorefrontEntry,
    read_configuration,
    written,
)
from gateway.operations.configuration_rules import is_reordered, keyed, plan
from schemas.api_mappings import MappingRequest
from schemas.api_pricing import RuleBody
from schemas.errors import ConfigurationError


def test_a_configuration_is_read_as_it_was_written():
    made = Configuration(
        paused_suppliers=["a", "b"],
        storefronts=[StorefrontEntry(name='The "shop" \\ \x7f\n', daily_spend_limit="12.5")],
        selling_stops=[],
        alert_channels=[AlertChannelEntry(name="mail", kind="email", recipients=["a@example.com"], enabled=False)],
        alert_rules=[AlertRuleEntry(name="Жара", kind="low_balance", threshold="5", channels=["mail"])],
        mappings=[MappingRequest(about="unit", word="fortnight", means="14")],
        pricing_rules=[RuleBody(name="Europe", percent="18", unlimited=False, region="europe")],
    )
    text = written(made)
    assert read_configuration(text) == made
    assert "enabled = true" not in text  # a default is not written
    assert "selling_stops = []" in text


def test_a_section_that_the_file_does_not_have_is_none_of_its_business():
    found = read_configuration('[[selling_stops]]\nnote = "audit"\n')
    assert found == Configuration(selling_stops=[StopEntry(note="audit")])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("alert_rules = 5", "Expected `array | null`, got `int` - at `$.alert_rules`"),
        ("[[alert_rules]]\nname = 'x'\nkind = 'x'", "Invalid enum value 'x' - at `$.alert_rules[0].kind`"),
        ("[[storefronts]]\nnames = 'x'", "unknown field `names`"),
        ("paused = ['a']", "unknown field `paused`"),
        ("[[", "Invalid initial character"),
        ("[[pricing_rules]]\nname = 'x'\npercent = '1'\nposition = 2", "rules stand in the order of the file"),
        ("[[alert_channels]]\nname = 'x'\nkind = 'slack'\nurl = 'https://a.example'", "is a secret"),
    ],
)
def test_a_file_that_cannot_be_is_refused_with_its_place(text, words):
    with pytest.raises(ConfigurationError) as refused:
        read_configuration(text)
    assert words in str(refused.value)


def planned(before, after, **how):
    """The changes from one list of rules to another, in words."""
    (old, new) = (dict(zip(keyed([rule.name for rule in rules]), rules, strict=True)) for rules in (before, after))
    names = {key: key[0] for key in {**old, **new}}
    found = plan("rules", old, new, names, **{"ordered": True, "kept": False} | how)
    return [change.line for change in found.values()]


def test_the_plan_names_what_goes_what_comes_and_what_differs():
    stood = [RuleBody(name="a", percent="1"), RuleBody(name="b", percent="2"), RuleBody(name="a", percent="3")]
    wanted = [
        RuleBody(name="b", percent="5", floor="4"),
        RuleBody(name="a", percent="1"),
        RuleBody(name="c", percent="1"),
    ]
    assert planned(stood, wanted) == [
        "- rules: a",
        "~ rules: b: floor none -> 4, percent 2 -> 5",
        "+ rules: c",
        "~ rules: all, in another order",
    ]
    assert planned(stood, stood) == []
    assert planned(stood, [], kept=True) == []


def test_what_comes_in_between_does_not_reorder_the_others():
    assert not is_reordered(keyed(["a", "b"]), keyed(["x", "a", "y", "b"]))
    assert is_reordered(keyed(["a", "b"]), keyed(["b", "x", "a"]))
