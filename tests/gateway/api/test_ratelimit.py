import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from gateway.api.ratelimit import Bucket, Limiter


def test_a_bucket_gives_what_it_holds_and_then_one_for_each_interval():
    bucket = Bucket(60, now=0.0)
    assert [bucket.take(0.0) for _ in range(61)] == [True] * 60 + [False]
    assert (bucket.remaining(), bucket.wait(), bucket.full_in()) == (0, 1, 60)
    assert bucket.take(1.0)
    assert not bucket.take(1.5)
    assert bucket.take(2.0)


def test_a_bucket_never_holds_more_than_a_minute_of_requests():
    bucket = Bucket(3, now=0.0)
    bucket.take(0.0)
    assert [bucket.take(1_000_000.0) for _ in range(4)] == [True, True, True, False]


def test_how_long_to_wait_is_enough_and_not_a_second_more():
    bucket = Bucket(6, now=0.0)
    for _ in range(6):
        bucket.take(0.0)
    assert not bucket.take(0.0)
    assert bucket.wait() == 10
    assert bucket.take(10.0)


def test_a_key_whose_rate_changed_gets_a_new_bucket():
    limiter = Limiter(None)
    bucket = limiter.bucket("key_1", 60)
    assert limiter.bucket("key_1", 60) is bucket
    assert limiter.bucket("key_1", 30).capacity == 30


async def test_processes_learn_what_the_others_spent(redis):
    one, two = Limiter(redis), Limiter(redis)
    mine, theirs = one.bucket("key_1", 600), two.bucket("key_1", 600)
    for _ in range(200):
        mine.take(mine.refilled_at)
    for _ in range(100):
        theirs.take(theirs.refilled_at)
    await one.settle()
    await two.settle()
    theirs.take(theirs.refilled_at)
    await one.settle()
    assert 299 <= mine.remaining() <= 310
    assert 298 <= theirs.remaining() <= 310


async def test_what_is_spent_while_redis_is_asked_is_told_the_next_time(redis):
    limiter = Limiter(redis)
    bucket = limiter.bucket("key_1", 600)
    for _ in range(100):
        bucket.take(bucket.refilled_at)
    limiter._take_over({"key_1": bucket}, {"key_1": 60}, [540.0])
    assert bucket.spent == 40
    assert bucket.remaining() == 500


async def test_overspending_is_paid_back(redis):
    one, two = Limiter(redis), Limiter(redis)
    for limiter in (one, two):
        bucket = limiter.bucket("key_1", 60)
        while bucket.take(bucket.refilled_at):
            pass
        await limiter.settle()
    assert not bucket.take(bucket.refilled_at + 30)


async def test_a_redis_that_is_gone_stops_nobody(servers):
    limiter = Limiter(Redis(host="127.0.0.1", port=1, socket_connect_timeout=0.2))
    bucket = limiter.bucket("key_1", 60)
    bucket.take(bucket.refilled_at)
    with pytest.raises((RedisError, OSError)):
        await limiter.settle()
    assert bucket.take(bucket.refilled_at)
