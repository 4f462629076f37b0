"""The measure of late polls, on made-up attempts."""

from __future__ import annotations

import pytest

from tests.chaos.polls import FollowedAttempt, LivingTime, Sample, late_polls

AGES, EVERY = (2.0, 5.0, 15.0), 15.0


def attempt(*samples: tuple[float, str, int], closed_at: float | None = None) -> FollowedAttempt:
    """Sent at 0; each sample is its time, its state and how many polls were seen."""
    seen = [Sample(at, state, (1, polls)) for at, state, polls in samples]
    return FollowedAttempt(sent_at=0.0, samples=seen, closed_at=closed_at)


def living(*stretches: tuple[float, float]) -> LivingTime:
    made = LivingTime()
    for begin, end in stretches:
        made.add(begin, living=True)
        made.add(end, living=True)
        made.add(end + 0.001, living=False)
    return made


def late(found: FollowedAttempt, lived: LivingTime, end: float = 100.0) -> float:
    return late_polls({"att": found}, lived, AGES, EVERY, end)["att"]


def test_polls_at_their_ages_are_in_time():
    polled = attempt((0.5, "unknown", 0), (2.2, "unknown", 1), (5.1, "unknown", 2), closed_at=15.2)
    assert late(polled, living((0, 100))) == pytest.approx(0.2, abs=0.02)


def test_an_attempt_that_nobody_polls_is_late_until_the_end():
    never = attempt((0.5, "unknown", 0), (99.0, "unknown", 0))
    assert late(never, living((0, 100))) == pytest.approx(98.0)


def test_a_poll_that_is_missed_at_one_age_is_late_although_the_next_one_comes():
    missed = attempt((0.5, "unknown", 0), (2.1, "unknown", 1), (15.1, "unknown", 2), closed_at=16.0)
    assert late(missed, living((0, 100))) == pytest.approx(10.1)


def test_time_in_which_no_worker_lived_does_not_count():
    waited = attempt((0.5, "unknown", 0), (60.0, "unknown", 1), closed_at=61.0)
    assert late(waited, living((0, 3), (58, 100))) == pytest.approx(3.0, abs=0.02)


def test_a_send_that_still_runs_is_not_polled():
    sending = attempt((0.5, "sending", 0), (16.0, "unknown", 0), closed_at=20.0)
    assert late(sending, living((0, 100))) == 0.0


def test_after_its_last_age_an_attempt_is_polled_again_and_again():
    polls = [(0.5, "unknown", 0), (2.0, "unknown", 1), (5.0, "unknown", 2), (15.0, "unknown", 3), (30.5, "unknown", 4)]
    assert late(attempt(*polls), living((0, 100)), end=70.0) == pytest.approx(25.0)
