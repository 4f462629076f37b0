from datetime import UTC, datetime

import pytest

from gateway.access.key_rows import (
    InvalidKeyError,
    create_key,
    find_key,
    is_key_text,
    key_digest,
    list_keys,
    mark_used,
    new_key_text,
    revoke_key,
    valid_keys,
)


def test_a_key_tells_its_mode_and_no_two_are_alike():
    texts = {new_key_text("live") for _ in range(200)}
    assert len(texts) == 200
    assert all(text.startswith("gw_live_") and is_key_text(text) for text in texts)
    assert new_key_text("test").startswith("gw_test_")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gw_test_",
        "gw_live_" + "a" * 38,
        "gw_prod_" + "a" * 38,
        "gw_test_" + "ä" * 38,
        "x" * 5000,
        "gw_test_" + "0" * 37 + "\n",
    ],
)
def test_what_is_no_key_is_seen_without_asking_anyone(text):
    assert not is_key_text(text)


def test_a_slip_of_the_pen_is_seen_by_the_checksum():
    text = new_key_text("test")
    slipped = text[:20] + ("a" if text[20] != "a" else "b") + text[21:]
    assert not is_key_text(slipped)


async def test_only_the_digest_of_a_key_is_kept(pool):
    made = await create_key(pool, storefront="shop", mode="test", scopes=["storefront", "ops"])
    row = await pool.fetchrow("SELECT * FROM api_keys")
    assert made.key not in str(dict(row))
    assert row["hash"] == key_digest(made.key)
    assert made.key.startswith(row["prefix"])
    found = await find_key(pool, key_digest(made.key))
    assert (found.id, found.storefront, found.mode, found.scopes) == (made.id, "shop", "test", ("storefront", "ops"))


async def test_two_keys_of_one_name_belong_to_one_storefront(pool):
    for mode in ("live", "test"):
        await create_key(pool, storefront="shop", mode=mode, scopes=["storefront"])
    first, second = await list_keys(pool)
    assert first.storefront_id == second.storefront_id
    assert {first.mode, second.mode} == {"live", "test"}


async def test_a_revoked_key_is_found_no_more_and_stays_in_the_list(pool):
    made = await create_key(pool, storefront="shop", mode="test", scopes=["storefront"])
    assert await revoke_key(pool, made.id)
    first = (await list_keys(pool))[0].revoked_at
    assert await revoke_key(pool, made.id)
    assert (await list_keys(pool))[0].revoked_at == first
    assert await find_key(pool, key_digest(made.key)) is None
    assert await valid_keys(pool, [made.id]) == {}
    assert not await revoke_key(pool, "key_of_nobody")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"scopes": []}, "at least one scope"),
        ({"scopes": ["storefront", "admin"]}, "admin"),
        ({"mode": "prod"}, "prod"),
        ({"storefront": "  "}, "name"),
        ({"per_minute": 0}, "at least one request"),
    ],
)
async def test_a_key_that_cannot_be_is_refused_with_the_reason(pool, change, word):
    with pytest.raises(InvalidKeyError, match=word):
        await create_key(pool, **({"storefront": "shop", "mode": "test", "scopes": ["storefront"]} | change))
    assert await pool.fetchval("SELECT count(*) FROM storefronts") == 0


async def test_last_use_only_moves_forward(pool):
    made = await create_key(pool, storefront="shop", mode="test", scopes=["storefront"])
    late, early = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 11, 19, tzinfo=UTC)
    await mark_used(pool, {made.id: late})
    await mark_used(pool, {made.id: early, "key_of_nobody": late})
    assert (await list_keys(pool))[0].last_used_at == late
