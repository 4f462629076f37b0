"""``esim-gateway pricing``: by which rules costs become prices, and what another rule would do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.connected import print_json
from gateway.cli.declared import AsCsv, AsJson, Command, ModeOption, Option, command_group
from gateway.cli.operation_client import run_at_gateway
from gateway.cli.sheets import print_rows
from gateway.cli.state import StateDir
from gateway.cli.typed_values import country_code
from gateway.kit.sheet import printable
from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from schemas.api_pricing import MarginPage, PriceMove, PricingPreview, PricingRulePage

_MARGINS = "gateway.prices.margins:MARGINS"


def _print_margins(found: MarginPage) -> None:
    from gateway.prices.margins import MARGINS

    summary = found.summary
    median = "" if summary.median_percent is None else f", median {summary.median_percent:g} %"
    print(f"{summary.offers} offers{median}; {summary.negative} at a loss, {summary.thin} too thin to be sold")
    print_rows(MARGINS, found.data)


def _print_rules(found: PricingRulePage) -> None:
    from gateway.pricing.pricing_tables import RULES

    print_rows(RULES, [*found.data, found.default])


app = command_group(
    "Pricing rules: which cost becomes which price.",
    {
        "list": Command(
            operation="pricing.list_pricing_rules",
            help="Show the rules in order; the first that matches an offer prices it, the default what is left.",
            csv="gateway.pricing.pricing_tables:of_rules",
            show=_print_rules,
        ),
        "margins": Command(
            operation="pricing.list_margins",
            help="Show what is left of each price after fees and cost, the negative and thin ones first.",
            table=_MARGINS,
            options={"country": Option(help="Only offers that cover it.", parse=country_code)},
            show=_print_margins,
            most=100_000,
            with_catalog=True,
        ),
    },
)


@app.command()
def preview(
    rule: Annotated[
        str,
        typer.Argument(metavar="RULE", help='A rule as JSON: {"name": "Europe", "percent": "18"}; - reads it.'),
    ] = "",
    rule_id: Annotated[str | None, typer.Option("--id", help="Instead of the rule with this id.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="What taking out the rule with --id would do.")] = False,
    storefront: Annotated[str | None, typer.Option(help="For this storefront's prices.")] = None,
    currency: Annotated[str | None, typer.Option(help="In this currency.")] = None,
    mode: ModeOption = None,
    as_csv: AsCsv = False,
    as_json: AsJson = False,
    state_dir: StateDir = None,
) -> None:
    """Show what a rule would do to the prices of the whole catalogue. Nothing is changed."""
    import msgspec

    from gateway.pricing.pricing_tables import EXAMPLES
    from schemas.api_pricing import PricingPreview

    query: dict[str, Any] = {**_asked(rule, rule_id, storefront, currency, remove=remove), "mode": mode}
    raw = run_at_gateway(
        state_dir,
        lambda gateway: gateway.call("pricing.preview_pricing_rules", **query),
        "pricing",
        with_catalog=True,
    )
    if as_json:
        print_json(raw)
        return
    found = msgspec.convert(raw, PricingPreview)
    if not as_csv:
        _print_summary(found)
    if as_csv or found.examples:
        print_rows(EXAMPLES, found.examples, as_csv=as_csv)


def _asked(
    rule: str, rule_id: str | None, storefront: str | None, currency: str | None, *, remove: bool
) -> dict[str, Any]:
    import json

    query: dict[str, Any] = {"id": rule_id, "remove": remove, "storefront": storefront, "currency": currency}
    text = sys.stdin.read() if rule == "-" else rule
    if text:
        try:
            query["rule"] = json.loads(text)
        except ValueError as error:
            raise ConfigurationError(f"the rule is not valid JSON: {error}") from None
    return query


def _print_summary(found: PricingPreview) -> None:
    storefront = found.storefront or "storefronts without rules of their own"
    print(f"For {storefront} ({found.mode}), in {found.currency}:")
    print(f"  {found.rise.count} prices rise{_far(found.rise)}, {found.fall.count} fall{_far(found.fall)},")
    print(f"  {found.same} stay; {found.end} plans are no longer sold, {found.begin} are sold again.")
    print(f"  Offers below the minimum margin: {found.thin_before} now, {found.thin_after} then.")
    for part in found.priced_by:
        print(f"  {part.offers:>8} offers by {printable(part.words)}")


def _far(move: PriceMove) -> str:
    if move.median is None or move.most is None:
        return ""
    return (
        f" (median {move.median.amount}, {move.median_percent:g} %; most {move.most.amount}, {move.most_percent:g} %)"
    )
