"""Orders in a storm, and the books compared at the end.

    python -m tests.chaos [--short] [--ordinary] [--orders N] [--seconds S] [--without fence|redaction|once]
        [--seed N] [--keep FOLDER] [--hosts]

Ends with 0 when nothing is wrong. With the fence, or the one order of a payment, taken out it ends with 0 when it
reports doubles.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.hosts import require_hosts
from tests.chaos.run import (
    SHORT,
    Outcome,
    Storm,
    long_host_trouble,
    long_trouble,
    short_host_trouble,
    short_trouble,
    slowness_of_this_machine,
    storm,
)

# By whether it is short, and whether there are two hosts.
TROUBLES = {
    (False, False): long_trouble,
    (True, False): short_trouble,
    (False, True): long_host_trouble,
    (True, True): short_host_trouble,
}


def main() -> int:
    """The command line; its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="half a minute instead of two")
    parser.add_argument("--hosts", action="store_true", help="two hosts, a pooler, a standby; needs root")
    parser.add_argument("--ordinary", action="store_true", help="admission the ordinary way, not from memory")
    parser.add_argument("--orders", type=int, help="orders and top-ups")
    parser.add_argument("--seconds", type=float, help="how long it storms")
    parser.add_argument("--without", choices=["fence", "redaction", "once"], action="append", default=[])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="an empty folder for logs and books, left as they are")
    asked = parser.parse_args()
    how = SHORT if asked.short else Storm()
    how = replace(how, seed=asked.seed, plan=replace(how.plan, without=tuple(asked.without)))
    if asked.hosts:
        try:
            require_hosts()
        except (pytest.skip.Exception, pytest.fail.Exception) as error:
            parser.error(str(error))
        how = replace(how, plan=replace(how.plan, hosts=True))
    if asked.without:
        how = replace(how, without_worker=False)
    if asked.ordinary:
        how = replace(how, plan=replace(how.plan, more={"GATEWAY_ORDERS__FAST_ADMISSION": "false"}))
    how = replace(how, orders=asked.orders or how.orders, seconds=asked.seconds or how.seconds)
    if asked.hosts:  # so many processes need a slow machine's time
        how = how.slowed(slowness_of_this_machine())
    with ExitStack() as stack:
        folder = asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        outcome = asyncio.run(storm(folder / "storm", how, TROUBLES[asked.short, asked.hosts]))
    show(outcome)
    if {"fence", "once"} & {*asked.without}:
        print("\na fence was taken out, and doubles", "were found" if outcome.report.doubles else "WERE NOT FOUND")
        return 0 if outcome.report.doubles else 1
    if "redaction" in asked.without:
        return 0 if any(outcome.leaks.values()) else 1
    return 1 if outcome.faults or any(outcome.leaks.values()) else 0


def show(outcome: Outcome) -> None:
    """Everything, for people."""
    report = outcome.report
    print(f"{sum(outcome.orders.values())} orders in {outcome.seconds:.0f} s:")
    for what, count in sorted(outcome.orders.items()):
        print(f"  {count:>5}  {what}")
    share = outcome.ambiguous / max(1, outcome.spent)
    print(f"{outcome.spent} calls that spend reached the suppliers, {share:.0%} ambiguous; {outcome.charges} charges")
    print("checkouts:", ", ".join(f"{count} {what}" for what, count in sorted(outcome.paying.items())))
    print(f"{report.paid_for} payments became a fulfilled order; {len(report.waiting)} wait for a person:")
    for line in report.waiting:
        print(f"  {line}")
    print("trouble:", ", ".join(f"{count} {what}" for what, count in sorted(outcome.trouble.items())))
    print("refused before an order stood:", dict(outcome.problems) or "none")
    print(f"S2S and PikaSim: of {report.knowable} that can be found out {report.share:.1%} were fulfilled")
    print(f"in the log: {', '.join(f'{count} {kind}' for kind, count in outcome.leaks.items())}")
    print(f"\n{len(report.named)} differences that each belong to one open attempt:")
    for line in report.named:
        print(f"  {line}")
    print(f"\nthe latest poll came {outcome.latest_poll:.1f} s of living time after its time;", end=" ")
    print(f"a worker lived for {outcome.living_seconds:.0f} s")
    print(f"{outcome.share_failed:.1%} of the eSIM orders failed although an offer was left:")
    for order, left in outcome.offer_left.items():
        print(f"  {order}: {', '.join(left[:5])}")
    if outcome.unworked is not None:
        named = ", ".join(f"{place} after {seconds:.1f} s" for place, seconds in outcome.unworked.seconds.items())
        print(f"without a worker, {len(outcome.unworked.orders)} overdue orders were reported: {named or 'nowhere'}")
        print(f"the Prometheus rules that fired: {', '.join(outcome.unworked.scrapes.fired) or 'none'}")
    print(f"\n{len(outcome.faults)} faults" + (":" if outcome.faults else ""))
    for line in outcome.faults:
        print(f"  {line}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
