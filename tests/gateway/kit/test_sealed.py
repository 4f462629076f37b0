import asyncio

import orjson
import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.inventory import esim_rows
from gateway.kit.sealed import COLUMNS, rotate
from gateway.kit.sealing import Seal, Unsealable
from tests.kit.secret_keys import NEW_SECRET_KEY, OLD_SECRET_KEY
from tests.kit.sold import CODE, ICCID, sold, storefront

OLD, NEW = OLD_SECRET_KEY, NEW_SECRET_KEY
# Bytes that are no secret: digests, and what a key's text is compared with.
OPEN_BYTES = {
    ("orders", "email_digest"),
    ("esims", "iccid_digest"),
    ("esims", "code_digest"),
    ("numbers", "phone_digest"),
    ("voucher_codes", "pin_digest"),
    ("voucher_codes", "serial_digest"),
    ("checkouts", "email_digest"),
    ("payment_notices", "digest"),
    ("idempotency_keys", "request"),
    ("api_keys", "hash"),
    ("offers", "digest"),
    ("offers", "measure"),
    ("goods", "digest"),
    ("sessions", "digest"),
    ("traveller_settings", "logo"),
}


async def rotated(pool, seal):
    return [await rotate(pool, seal, column) for column in COLUMNS]


async def test_every_column_of_bytes_is_sealed_or_known_to_be_open(pool):
    rows = await pool.fetch(
        """SELECT table_name, column_name FROM information_schema.columns
           WHERE table_schema = 'public' AND data_type = 'bytea' AND table_name NOT LIKE 'pgqueuer%'"""
    )
    assert {tuple(row) for row in rows} - OPEN_BYTES == {(column.table, column.column) for column in COLUMNS}


async def test_a_database_at_rest_shows_neither_code_nor_iccid(pool):
    await sold(pool)
    (row,) = await pool.fetch("SELECT esims::text AS whole FROM esims")
    for secret in (CODE, ICCID, "K2-1QW34"):
        assert secret not in row["whole"]
        assert secret.encode().hex() not in row["whole"]


async def test_after_rotation_the_new_key_alone_opens_and_finds(pool):
    shop = await storefront(pool)
    esim = await sold(pool, seal=Seal([OLD]))
    both, alone = Seal([NEW, OLD]), Seal([NEW])
    assert (await esim_rows.find(pool, both, shop, "test", ICCID)).id == esim.id
    assert await esim_rows.find(pool, alone, shop, "test", ICCID) is None
    done = {(c.table, c.column): c for c in await rotated(pool, both)}
    assert done["esims", "iccid"].sealed == done["esims", "activation_code"].sealed == 1
    assert not any(column.unopened for column in done.values())
    found = await esim_rows.find(pool, alone, shop, "test", ICCID)
    assert (found.id, found.activation_code) == (esim.id, CODE)


async def test_an_address_is_found_by_its_new_digest_whatever_its_capitals(pool):
    await sold(pool, seal=Seal([OLD]))
    old, both = Seal([OLD]), Seal([NEW, OLD])
    await pool.execute(
        "UPDATE orders SET email = $1, email_digest = $2", old.seal("Ann@Example.com"), old.digest("ann@example.com")
    )
    await rotated(pool, both)
    assert await pool.fetchval("SELECT email_digest FROM orders") == Seal([NEW]).digest("ann@example.com")
    assert Seal([NEW]).open_text(await pool.fetchval("SELECT email FROM orders")) == "Ann@Example.com"


async def test_what_is_sealed_with_the_newest_key_is_not_touched(pool):
    await sold(pool, seal=Seal([NEW]))
    before = await pool.fetchval("SELECT activation_code FROM esims")
    assert sum(column.sealed for column in await rotated(pool, Seal([NEW, OLD]))) == 0
    assert await pool.fetchval("SELECT activation_code FROM esims") == before


async def test_more_rows_than_are_read_at_once_are_all_rotated(pool, monkeypatch):
    monkeypatch.setattr("gateway.kit.sealed.ROWS_AT_ONCE", 2)
    for number in range(5):
        await sold(pool, iccid=f"894450010219876543{number}", seal=Seal([OLD]))
    done = {(c.table, c.column): c.sealed for c in await rotated(pool, Seal([NEW, OLD]))}
    assert done["esims", "iccid"] == 5
    for row in await pool.fetch("SELECT iccid FROM esims"):
        assert Seal([NEW]).open(row["iccid"]).startswith(b"8944")


async def test_two_rotations_at_once_seal_each_value_once(pool):
    for number in range(5):
        await sold(pool, iccid=f"894450010219876543{number}", seal=Seal([OLD]))
    both = Seal([NEW, OLD])
    done = await asyncio.gather(rotated(pool, both), rotated(pool, both))
    assert sum(c.sealed for run in done for c in run if (c.table, c.column) == ("esims", "iccid")) == 5


async def test_a_value_under_a_key_that_is_gone_stays_and_is_counted(pool):
    await sold(pool, seal=Seal([OLD]))
    before = await pool.fetchval("SELECT activation_code FROM esims")
    done = {(c.table, c.column): c for c in await rotated(pool, Seal([NEW]))}
    assert done["esims", "activation_code"].unopened == 1
    assert await pool.fetchval("SELECT activation_code FROM esims") == before
    with pytest.raises(Unsealable):
        Seal([NEW]).open(before)


@pytest.mark.parametrize(("secrets", "code", "unopened"), [([NEW, OLD], 0, 0), ([NEW], 3, 2)])
async def test_the_command_says_by_its_exit_code_whether_the_old_key_can_go(
    pool, database_url, monkeypatch, tmp_path, secrets, code, unopened
):
    await sold(pool, seal=Seal([OLD]))
    monkeypatch.setenv("GATEWAY_DATABASE_URL", database_url)
    monkeypatch.setenv("GATEWAY_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("GATEWAY_SECRET_KEY", orjson.dumps(secrets).decode())
    ended = await asyncio.to_thread(CliRunner().invoke, app, ["secrets", "rotate", "--json"])
    assert ended.exit_code == code
    assert orjson.loads(ended.stdout)["unopened"] == unopened
