import logging

import asyncpg
import orjson
import pytest
import structlog

from gateway.kit import log


@pytest.fixture
def lines():
    written = []
    log.configure("info", written.append)
    return lambda: [orjson.loads(line) for line in b"".join(written).splitlines()]


def test_a_line_is_one_json_object_with_time_and_level(lines):
    structlog.get_logger().info("synced", supplier="pikasim", offers=3)
    (line,) = lines()
    assert {"event", "at", "level", "supplier", "offers"} == set(line)
    assert line["at"].endswith("Z")


def test_below_the_level_nothing_is_written(lines):
    structlog.get_logger().debug("detail")
    logging.getLogger("x").debug("detail")
    assert lines() == []


def test_the_standard_librarys_lines_come_out_alike(lines):
    logging.getLogger("some.library").warning("slow %s", "query")
    (line,) = lines()
    assert (line["event"], line["level"], line["logger"]) == ("slow query", "warning", "some.library")


SECRETS = [
    "gw_live_0123456789abcdefghijABCDEFGHIJ0123456789",
    "LPA:1$smdp.example.com$ABCD-1234",
    "1$smdp.example.com$ABCD-1234",
    "8944500102030405060",
    "89445001020304050607F",  # padded, as a card has it
    "iccid_8944500102030405060",
    "LPA%3A1%24smdp.example.com%24ABCD-1234",  # as in a link to install it
    "someone@example.com",
    "whsec_c2VjcmV0",
    "/e/l4zH0vcmYoQ9IgrUwAcKQBRR1wfCpvi1Et3iKoMExA",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_secret_is_written_nowhere(lines, secret):
    logger = structlog.get_logger()
    got = f"got {secret}"  # part of the message itself, not an argument of it
    logger.info(got, text=f"x {secret} y", deep={"list": [{"text": secret}]}, raw=secret.encode())
    logging.getLogger("library").warning("got %s", secret)
    try:
        int(secret)  # the error quotes it
        raise ValueError(secret)  # noqa: TRY301 - an ICCID is a number
    except ValueError:
        logger.exception("failed")
    assert secret not in orjson.dumps(lines()).decode()
    assert len(lines()) == 3


def test_what_is_named_like_a_secret_is_not_written_whatever_it_looks_like(lines):
    structlog.get_logger().info("x", Authorization="abc", api_key="abc", nested={"X-API-Key": "abc", "iccid": 89})
    assert "abc" not in str(lines())
    assert "89" not in str(lines()[0]["nested"])


@pytest.mark.parametrize("name", ["pin", "pinCode", "serial", "serialNumber", "serial_number", "phoneNumber"])
def test_codes_and_telephone_numbers_are_not_written_however_their_names_are_spelled(lines, name):
    structlog.get_logger().info("x", got={"items": [{"delivery_data": [{name: "7F3A9C20"}]}]})
    assert "7F3A9C20" not in str(lines())


def test_the_password_of_an_address_is_not_written(lines):
    structlog.get_logger().info("connecting", url="postgres://gateway:hunter2@db:5432/gateway")
    assert lines()[0]["url"] == "postgres://[redacted]@db:5432/gateway"


async def test_the_rows_that_a_database_error_quotes_are_not_written(lines, pool):
    await pool.execute("CREATE TABLE secrets (code text PRIMARY KEY)")
    value = "plain" + "-words"  # so that no line of this test quotes it
    await pool.execute("INSERT INTO secrets VALUES ($1)", value)
    try:
        await pool.execute("INSERT INTO secrets VALUES ($1)", value)
    except asyncpg.UniqueViolationError as error:
        structlog.get_logger().exception("not written")
        structlog.get_logger().warning("not written", error=str(error))
        logging.getLogger("library").warning("not written: %s", error)
    written = lines()
    assert "UniqueViolationError" in written[0]["exception"]
    assert "duplicate key" in written[1]["error"]
    assert "duplicate key" in written[2]["event"]
    assert value not in str(written)


def test_request_lines_are_written_together():
    written = []
    access = log.AccessLog(written.append, most=3)
    for number in range(4):
        access.line({"n": number})
    assert [orjson.loads(line)["n"] for line in written[0].splitlines()] == [0, 1, 2]
    access.flush()
    access.flush()
    assert len(written) == 2


def test_a_reader_that_went_away_stops_no_request(lines):
    def broken(_data):
        raise BrokenPipeError

    access = log.AccessLog(broken)
    access.line({"n": 1})
    access.flush()
    assert lines()[0]["event"] == "access lines lost"
