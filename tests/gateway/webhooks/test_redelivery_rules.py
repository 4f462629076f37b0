"""When a webhook is sent again, and what an answer means."""

from itertools import count

import pytest

from gateway.webhooks.redelivery_rules import WAITS, meaning, wait_before_next


def test_ten_tries_are_made_over_three_days():
    waits = [wait_before_next(tries, 0) for tries in range(12)]
    hour = 3600
    assert waits == [0, 5, 300, 1800, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour, None, None]


def test_what_failed_together_does_not_come_back_together():
    for tries, base in zip(count(1), WAITS[1:], strict=False):
        assert base < wait_before_next(tries, 0.5) < wait_before_next(tries, 1) <= base * 1.1 + 1e-6


@pytest.mark.parametrize(
    ("status", "means"),
    [(200, "delivered"), (204, "delivered"), (299, "delivered"), (301, "failed"), (302, "failed"), (400, "failed"),
     (410, "gone"), (404, "failed"), (500, "failed"), (100, "failed"), (None, "failed")],
)  # fmt: skip
def test_only_2xx_took_it_and_410_wants_no_more(status, means):
    assert meaning(status) == means
