"""What a plan can be asked for besides places, data and days. Each feature is declared once, as a field of ``Wanted``.

The field has the type and the description of the API, and the rule that says which offers have the feature. Lists,
needs, orders, the nearest plans and the description of the API all follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache, lru_cache
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.examples import example
from schemas.plan import Features, Network


class FactRule(NamedTuple):
    """A feature of the plan. ``met`` gets the offer's features and what is asked for; ``has`` what stands there.

    ``phrase`` is what a plan lacks without it, in words. ``is_country``: codes of countries are asked for.
    """

    phrase: str
    met: Callable[[Features, Any], bool]
    has: Callable[[Features], Any]
    is_country: bool = False


class NetworkRule(NamedTuple):
    """A feature of a network; a plan has it with one such network in each country asked for, or in some country."""

    phrase: str
    met: Callable[[Network, Any], bool]
    is_country: bool = False


Rule: TypeAlias = FactRule | NetworkRule


class Requirement(NamedTuple):
    """A feature that is asked for: its name, its rule, and the value."""

    name: str
    rule: Rule
    value: Any


def _asks(rule: Rule, description: str, **limits: Any) -> Meta:
    return Meta(description=description, extra={"rule": rule}, **limits)


def _flag(name: str, phrase: str) -> FactRule:
    return FactRule(phrase, lambda features, wanted: getattr(features, name) is wanted, lambda f: getattr(f, name))


def _included(number: str, unlimited: str, phrase: str) -> FactRule:
    def met(features: Features, wanted: int) -> bool:
        return bool(getattr(features, unlimited)) or (getattr(features, number) or 0) >= wanted

    return FactRule(phrase, met, lambda features: getattr(features, number))


def _exits_elsewhere(features: Features, wanted: str) -> bool:
    """Whether it is known that traffic goes out through none of these countries."""
    codes = set(wanted.split(","))
    if features.exit_country is not None:
        return features.exit_country not in codes
    return codes.issubset(features.not_exit_countries)


def _is_operator(network: Network, wanted: str) -> bool:
    """Whether all the words of the name that is asked for are among the operator's, or it is the operator's number."""
    return wanted == network.mcc_mnc or _words(wanted) <= _words(network.operator)


@lru_cache(maxsize=4096)
def _words(name: str) -> frozenset[str]:
    return frozenset(name.casefold().split())


_EXIT = FactRule("its exit in {}", lambda f, wanted: f.exit_country == wanted, lambda f: f.exit_country, True)
_NOT_EXIT = FactRule("its exit outside {}", _exits_elsewhere, lambda features: features.exit_country, True)
_FIVE_G = NetworkRule("5G in each country", lambda network, wanted: network.generation == wanted)
_OPERATOR = NetworkRule("{} in each country", _is_operator)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Features that an offer must have; what is left out may be either way. Only what a supplier says counts."""

    topup: Annotated[
        Annotated[Literal[True], _asks(_flag("topup", "top-up"), "Can be topped up.")] | UnsetType, example(True)
    ] = UNSET
    voice: Annotated[Literal[True], _asks(_flag("voice", "voice"), "Has voice.")] | UnsetType = UNSET
    sms: Annotated[Literal[True], _asks(_flag("sms", "SMS"), "Has SMS.")] | UnsetType = UNSET
    network: (
        Annotated[Literal["5G"], _asks(_FIVE_G, "5G in each country asked for, or in some country when none is.")]
        | UnsetType
    ) = UNSET
    operator: (
        Annotated[
            str,
            _asks(
                _OPERATOR,
                "This operator's network in each country asked for, or in some country when none is: words of its"
                " name, or its MCC and MNC.",
                min_length=1,
                max_length=60,
                pattern=r"^\S(.*\S)?\Z",
                examples=["Docomo"],
            ),
        ]
        | UnsetType
    ) = UNSET
    exit_country: (
        Annotated[
            str,
            _asks(
                _EXIT,
                "Where traffic reaches the internet; matches only what is known.",
                pattern=r"^[A-Z]{2}\Z",
                examples=["JP"],
            ),
        ]
        | UnsetType
    ) = UNSET
    not_exit_country: (
        Annotated[
            str,
            _asks(
                _NOT_EXIT,
                "Traffic does not reach the internet in this country, or, with commas, in any of these; matches only"
                " what is known.",
                pattern=r"^[A-Z]{2}(,[A-Z]{2}){0,19}\Z",
                examples=["CN,HK"],
            ),
        ]
        | UnsetType
    ) = UNSET
    hotspot: Annotated[Literal[True], _asks(_flag("hotspot", "hotspot"), "Can be shared.")] | UnsetType = UNSET
    voice_minutes: (
        Annotated[
            int,
            _asks(
                _included("voice_minutes", "voice_unlimited", "{} minutes of calls"),
                "Includes at least so many minutes of calls.",
                ge=1,
                le=1_000_000,
                examples=[100],
            ),
        ]
        | UnsetType
    ) = UNSET
    sms_count: (
        Annotated[
            int,
            _asks(
                _included("sms_count", "sms_unlimited", "{} SMS"),
                "Includes at least so many SMS.",
                ge=1,
                le=1_000_000,
                examples=[50],
            ),
        ]
        | UnsetType
    ) = UNSET
    phone_number: (
        Annotated[Literal[True], _asks(_flag("phone_number", "a phone number"), "Has a phone number of its own.")]
        | UnsetType
    ) = UNSET
    kyc_required: (
        Annotated[
            bool,
            _asks(
                _flag("kyc_required", "kyc_required {}"),
                "Whether the traveller must be identified before it works; `false` leaves such plans out.",
                examples=[False],
            ),
        ]
        | UnsetType
    ) = UNSET
    usage: (
        Annotated[Literal[True], _asks(_flag("usage", "usage figures"), "Its supplier tells how much is used.")]
        | UnsetType
    ) = UNSET
    refundable: (
        Annotated[Literal[True], _asks(_flag("refundable", "refunds"), "Its supplier takes an unused eSIM back.")]
        | UnsetType
    ) = UNSET


def requirements(wanted: Wanted) -> Iterator[Requirement]:
    """The features that are asked for, in the order of their declarations."""
    for name, rule in rules().items():
        if (value := getattr(wanted, name)) is not UNSET:
            yield Requirement(name, rule, value)


def lacking(
    wanted: Wanted, features: Features, networks: Sequence[Network], countries: Collection[str] = ()
) -> tuple[str, ...]:
    """Names of the features that are asked for and that an offer does not have. ``countries`` are those asked for."""
    found = (need for need in requirements(wanted) if not _has(need, features, networks, countries))
    return tuple(need.name for need in found)


def _has(need: Requirement, features: Features, networks: Sequence[Network], countries: Collection[str]) -> bool:
    if isinstance(need.rule, FactRule):
        return need.rule.met(features, need.value)
    reached = {network.country for network in networks if need.rule.met(network, need.value)}
    return reached.issuperset(countries) if countries else bool(reached)


@cache
def rules() -> dict[str, Rule]:
    """The rule of each feature, by its name."""
    info = msgspec.inspect.type_info(Wanted)
    if not isinstance(info, msgspec.inspect.StructType):
        raise TypeError("Wanted is a struct")
    return {field.name: _rule_of(field.type) for field in info.fields}


def _rule_of(kind: msgspec.inspect.Type) -> Rule:
    if isinstance(kind, msgspec.inspect.UnionType):
        kind = kind.types[0]
    if not isinstance(kind, msgspec.inspect.Metadata):
        raise TypeError("a field of Wanted has no rule")
    rule: Rule | None = (kind.extra or {}).get("rule")
    return _rule_of(kind.type) if rule is None else rule
