"""``esim-gateway selling``: the switch that stops all buying, or that at one supplier."""

from __future__ import annotations

from typing import Any

from gateway.cli.declared import Command, Option, command_group

_SUPPLIER = Option(help="Only this supplier [all].")


def _by_supplier(stops: Any) -> list[dict[str, Any]]:
    """The reasons of the stops in force, supplier by supplier; null stands for all of them."""
    reasons: dict[str | None, list[str]] = {}
    for stop in stops["data"]:
        reasons.setdefault(stop["supplier"], []).append(stop["reason"])
    return [{"supplier": name, "reasons": listed} for name, listed in reasons.items()]


def _show_stops(stops: Any, prefix: str = "") -> None:
    reasons: dict[str, list[str]] = {}
    for stop in stops.data:
        reasons.setdefault(stop.supplier or "all suppliers", []).append(stop.reason)
    for name, listed in reasons.items():
        print(f"{prefix}{name}: {', '.join(listed)}")


def _show_resumed(stops: Any) -> None:
    print("resumed")
    _show_stops(stops, "still stopped: ")


app = command_group(
    "The stop-selling switch.",
    {
        "stop": Command(
            operation="selling.stop_selling",
            help="Stop selling everywhere or at one supplier. Waiting orders keep waiting; started "
            "purchases are completed.",
            options={"supplier": _SUPPLIER, "note": Option(help="Why.")},
            show=lambda stop: print(f"stopped: {stop.supplier or 'all suppliers'}"),
        ),
        "resume": Command(
            operation="selling.resume_selling",
            help="Lift a stop that an operator made, or that a supplier's account was stopped for.",
            options={"supplier": _SUPPLIER},
            show=_show_resumed,
        ),
        "list": Command(
            operation="selling.list_selling_stops",
            help="Show the stops in force.",
            json=_by_supplier,
            show=_show_stops,
        ),
    },
)
