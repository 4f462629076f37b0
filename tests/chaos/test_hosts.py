"""A short storm over two hosts, with a failover; the long form is ``make chaos ARGS=--hosts``."""

import asyncio

import pytest

from tests.chaos.hosts import require_hosts
from tests.chaos.run import SHORT_HOSTS, short_host_trouble, slowness_of_this_machine, storm

pytestmark = [pytest.mark.xdist_group("chaos"), pytest.mark.long]


def test_a_storm_over_two_hosts_with_a_failover_leaves_nothing_bought_twice_or_lost(tmp_path):
    require_hosts()
    how = SHORT_HOSTS.slowed(slowness_of_this_machine())
    outcome = asyncio.run(storm(tmp_path / "storm", how, short_host_trouble))
    assert outcome.faults == []
    assert outcome.orders["esim fulfilled"] > 0
    assert outcome.trouble["failovers"] == 1, outcome.trouble
    assert len(outcome.trouble) == 7, outcome.trouble
