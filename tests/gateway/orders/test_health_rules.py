"""What is degraded about processing orders, from plain values."""

from gateway.orders.health_rules import MOST_COUNTED, OrderHealth, degradations, seconds_without_worker


def words(health, watched=0.0):
    return [one.word for one in degradations(health, watched)]


def test_a_worker_is_missing_a_minute_after_its_last_heartbeat():
    assert words(OrderHealth(worker_seen_seconds=59.9), 1000) == []
    assert words(OrderHealth(worker_seen_seconds=60.0)) == ["no_worker"]


def test_a_worker_that_was_never_seen_is_missing_once_that_was_watched_for_a_minute():
    assert words(OrderHealth(worker_seen_seconds=None), 59.9) == []
    assert words(OrderHealth(worker_seen_seconds=None), 60.0) == ["no_worker"]
    assert seconds_without_worker(OrderHealth(worker_seen_seconds=None), 12.5) == 12.5


def test_overdue_orders_are_counted_and_a_count_that_is_cut_off_says_so():
    (one,) = degradations(OrderHealth(worker_seen_seconds=1, overdue=1), 0)
    assert (one.word, one.reason) == ("orders_overdue", "1 order is overdue by more than 60 s")
    (many,) = degradations(OrderHealth(worker_seen_seconds=1, overdue=MOST_COUNTED), 0)
    assert many.reason.startswith(f"{MOST_COUNTED} or more orders are overdue")


def test_clocks_that_differ_by_a_moment_give_no_negative_age():
    assert seconds_without_worker(OrderHealth(worker_seen_seconds=-0.2), 5) == 0
