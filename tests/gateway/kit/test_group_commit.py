"""Callers that run one statement at the same moment share a transaction, and nobody pays for another's fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import groupby

import asyncpg
import pytest

from gateway.kit.group_commit import MOST_IN_A_BATCH, SHARE, GroupCommit, batch_size
from gateway.kit.pool import DATABASE_DOWN, Pool

INSERT = "INSERT INTO grouped (name) VALUES ($1) RETURNING name, txid_current() AS transaction"


@pytest.fixture
async def commits(pool: Pool) -> AsyncIterator[GroupCommit]:
    """A group commit on a database with a table whose names are unique."""
    await pool.execute("CREATE TABLE grouped (name text PRIMARY KEY CHECK (name <> 'refused'))")
    yield GroupCommit(pool)
    await pool.execute("DROP TABLE grouped")


async def test_calls_of_one_moment_share_transactions_and_get_their_own_rows(commits: GroupCommit) -> None:
    names = [f"n{number}" for number in range(MOST_IN_A_BATCH * SHARE)]
    rows = await asyncio.gather(*(commits.fetchrow(INSERT, name) for name in names))
    assert [row["name"] for row in rows] == names
    batches = [len(list(batch)) for _, batch in groupby(row["transaction"] for row in rows)]
    assert batches[0] == MOST_IN_A_BATCH
    assert batches == sorted(batches, reverse=True)
    assert batches[-1] == 1


async def test_more_calls_than_batches_of_full_size_hold_are_all_written(commits: GroupCommit, pool: Pool) -> None:
    count = MOST_IN_A_BATCH * SHARE * 2 + 1
    await asyncio.gather(*(commits.fetchrow(INSERT, f"n{number}") for number in range(count)))
    assert await pool.fetchval("SELECT count(*) FROM grouped") == count


@pytest.mark.parametrize(("waiting", "size"), [(1, 1), (SHARE, 1), (SHARE + 1, 2), (64, 16), (1000, 16)])
def test_a_batch_is_a_share_of_the_queue(waiting: int, size: int) -> None:
    assert batch_size(waiting) == size


@pytest.mark.parametrize(
    ("name", "error"), [("refused", asyncpg.CheckViolationError), ("n1", asyncpg.UniqueViolationError), (7, Exception)]
)
async def test_a_call_that_fails_fails_alone(
    commits: GroupCommit, pool: Pool, name: str | int, error: type[Exception]
) -> None:
    names: list[str | int] = [f"n{number}" for number in range(4 * SHARE)]
    names.insert(2, name)  # the first batch holds it with four others
    said = await asyncio.gather(*(commits.fetchrow(INSERT, value) for value in names), return_exceptions=True)
    assert isinstance(said.pop(2), error)
    names.pop(2)
    assert [row["name"] for row in said if isinstance(row, asyncpg.Record)] == names
    assert await pool.fetchval("SELECT count(*) FROM grouped") == len(names)


async def test_a_caller_that_goes_away_takes_nobody_with_it(commits: GroupCommit) -> None:
    gone, stays = (asyncio.create_task(commits.fetchrow(INSERT, name)) for name in ("gone", "stays"))
    await asyncio.sleep(0)
    gone.cancel()
    assert (await stays)["name"] == "stays"
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_database_that_goes_away_is_told_to_every_caller(commits: GroupCommit) -> None:
    end = "SELECT pg_terminate_backend(pg_backend_pid()), $1::int"
    count = 2 * SHARE
    said = await asyncio.gather(*(commits.fetchrow(end, number) for number in range(count)), return_exceptions=True)
    assert [isinstance(error, DATABASE_DOWN) for error in said] == [True] * count
    assert (await commits.fetchrow(INSERT, "after"))["name"] == "after"


async def test_a_statement_without_its_one_row_is_a_fault_and_not_another_s_row(commits: GroupCommit) -> None:
    nothing = "SELECT $1::int WHERE $1::int > 0"
    said = await asyncio.gather(*(commits.fetchrow(nothing, number) for number in (1, 0, 2)), return_exceptions=True)
    assert isinstance(said[1], LookupError)
    assert [row[0] for row in (said[0], said[2]) if isinstance(row, asyncpg.Record)] == [1, 2]
