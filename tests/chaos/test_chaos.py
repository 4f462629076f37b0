"""A storm in short: the long form is ``make chaos``."""

import asyncio
from dataclasses import replace

import pytest

from tests.chaos.run import SHORT, short_trouble, slowness_of_this_machine, storm

pytestmark = pytest.mark.xdist_group("chaos")  # one storm at a time is enough for a machine


def test_a_storm_leaves_nothing_bought_twice_lost_unpaid_or_told_in_the_log(tmp_path):
    outcome = asyncio.run(storm(tmp_path / "storm", SHORT.slowed(slowness_of_this_machine()), short_trouble))
    assert outcome.faults == []
    assert set(outcome.leaks.values()) == {0}, outcome.leaks
    assert outcome.ambiguous >= outcome.spent / 5
    assert {what.split()[0] for what in outcome.orders} >= {"esim", "number", "voucher"}, outcome.orders
    assert outcome.orders["esim fulfilled"] > 0
    assert outcome.report.paid_for + len(outcome.report.waiting) > 0, outcome.paying
    assert len(outcome.trouble) == 6, outcome.trouble


KINDS = (
    "activation codes", "matching ids", "ICCIDs", "e-mail addresses", "telephone numbers", "PINs", "keys", "secrets",
    "payment secrets",
)  # fmt: skip
STORMS = 3  # what one storm happens not to do, another does


def test_without_fences_and_redaction_the_same_storm_reports_doubles_and_secrets(tmp_path):
    plan = replace(SHORT.plan, without=("fence", "once", "redaction"))
    how = replace(SHORT, orders=30, checkouts=16, seconds=5, settle=4, without_worker=False, plan=plan)
    unseen = {"was bought 2 times", " placed ", *KINDS}
    for number in range(STORMS):
        outcome = asyncio.run(storm(tmp_path / f"{number}", how.slowed(slowness_of_this_machine()), short_trouble))
        unseen -= {words for words in unseen if any(words in line for line in outcome.report.doubles)}
        unseen -= {kind for kind in unseen if outcome.leaks.get(kind)}
        if not unseen:
            break
    assert unseen == set(), (outcome.report.doubles, outcome.leaks)
