from __future__ import annotations

import asyncio
import gc
import gzip
import json
import re
import socket
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
import msgspec
import pytest
import stamina
import structlog
from aiohttp import web

from providers.kit.supplier_rate import token_held
from providers.kit.transport import MemoryRateLimiter, Priority, Transport, check_base_url, segment
from schemas.errors import (
    CircuitOpen,
    ConfigurationError,
    ConnectionLost,
    DeadlinePassed,
    DuplicateReference,
    InsufficientBalance,
    InvalidRequest,
    NotAuthorised,
    NotFound,
    NotReached,
    Outcome,
    OutOfStock,
    RateLimited,
    Refused,
    ServerFault,
    SupplierError,
    TimedOut,
    UnreadableAnswer,
)
from tests.kit.waiting import PATIENCE
from tests.providers.wire import Received, answer, hang_up, raw_supplier, reset, say_half, say_nothing

SECRET = "sk_live_0123456789abcdef"


class Plan(msgspec.Struct):
    price: Decimal
    days: int = 0


@pytest.fixture(autouse=True)
def quick_retries():
    """As many attempts as ever, without the pauses between them."""
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture
async def open_transport():
    opened: list[Transport] = []

    def make(url: str, **options: Any) -> Transport:
        options = {"timeout_seconds": 5, "max_body_bytes": 1_000_000, "secrets": (SECRET,)} | options
        opened.append(Transport("demo", url, **options))
        return opened[-1]

    yield make
    for transport in opened:
        await transport.close()


async def failure(call: Any) -> SupplierError:
    with pytest.raises(SupplierError) as caught:
        await call
    assert caught.value.supplier == "demo"
    return caught.value


# --- reading ------------------------------------------------------------------------------------------


async def test_a_read_gives_exact_decimals(open_transport):
    async with raw_supplier(answer(b'{"price": 29.090, "days": 7}')) as supplier:
        plan = await open_transport(supplier.url).read("/plans/1", Plan)
    assert plan == Plan(Decimal("29.090"), 7)
    assert str(plan.price) == "29.090"


async def test_the_supplier_s_clock_is_noted_from_the_date_of_its_answers(open_transport):
    ahead = (datetime.now(UTC) + timedelta(minutes=6)).strftime("%a, %d %b %Y %H:%M:%S GMT").encode()
    dated = answer(b"{}").replace(b"\r\n\r\n", b"\r\nDate: " + ahead + b"\r\n\r\n", 1)
    undated = answer(b"{}")
    wrong, huge = (
        answer(b"{}").replace(b"\r\n\r\n", b"\r\nDate: " + date + b"\r\n\r\n", 1)
        for date in (b"tomorrow", b"Mon, 99999999999999999999 Jan 2020 00:00:00 GMT")
    )
    async with raw_supplier(undated, dated, wrong, huge) as supplier:
        transport = open_transport(supplier.url)
        await transport.read("/", dict)
        assert transport.clock is None
        for _ in range(3):  # one without a date that can be read leaves what is known
            await transport.read("/", dict)
            assert abs(transport.clock.ahead - 360) <= transport.clock.within + 0.5


async def test_numbers_of_unknown_shape_are_exact_too(open_transport):
    async with raw_supplier(answer(b'{"rate": 0.1}')) as supplier:
        assert await open_transport(supplier.url).read("/", dict) == {"rate": Decimal("0.1")}


async def test_a_lax_read_takes_text_for_a_number_and_a_strict_one_does_not(open_transport):
    async with raw_supplier(answer(b'{"price": "4.90", "days": "7"}')) as supplier:
        transport = open_transport(supplier.url)
        assert (await transport.read("/", Plan, lax=True)).days == 7
        assert isinstance(await failure(transport.read("/", Plan)), UnreadableAnswer)


async def test_the_path_lies_below_the_base_url_with_its_parameters(open_transport):
    async with raw_supplier(answer(b"{}")) as supplier:
        transport = open_transport(supplier.url + "/")
        params = {"page": 2, "q": "a&b c", "all": True, "none": None}
        await transport.read(f"/plans/{segment('a/b?c#d')}", dict, params=params, headers={"X-API-Key": "k"})
    head = supplier.requests[0].decode()
    assert head.startswith("GET /base/plans/a%2Fb%3Fc%23d?page=2&q=a%26b%20c&all=true HTTP/1.1\r\n")
    assert "X-API-Key: k" in head


@pytest.mark.parametrize("text", [".", "..", "a/../b", "%2e%2e", "é\n"])
def test_no_id_leaves_its_segment(text):
    assert re.fullmatch(r"[\w%~-]+(?:\.[\w%~-]+|\.\.)*.*", segment(text))
    assert "/" not in segment(text)
    assert segment(text) not in {".", ".."}


def test_an_empty_id_is_no_segment():
    with pytest.raises(ValueError, match="empty"):
        segment("")


async def test_connections_are_reused_for_reads(open_transport):
    async with raw_supplier(answer(b"{}")) as supplier:
        transport = open_transport(supplier.url)
        for _ in range(5):
            await transport.read("/", dict)
    assert (len(supplier.requests), supplier.connections) == (5, 1)


async def test_a_read_is_tried_again_after_a_fault(open_transport):
    async with raw_supplier(answer(b"", "503 Unavailable"), hang_up, answer(b'{"ok": 1}')) as supplier:
        assert await open_transport(supplier.url).read("/", dict) == {"ok": 1}
    assert len(supplier.requests) == 3


async def test_a_read_is_tried_three_times_and_no_more(open_transport):
    async with raw_supplier(answer(b"", "500 Oops")) as supplier:
        assert isinstance(await failure(open_transport(supplier.url).read("/", dict)), ServerFault)
    assert len(supplier.requests) == 3


@pytest.mark.parametrize("end", [hang_up, reset])
async def test_one_admission_is_one_send_even_when_the_connection_drops(open_transport, end):
    class Counting(MemoryRateLimiter):
        admitted = 0

        async def admit(self, priority, *, write=False):
            self.admitted += 1

    limiter = Counting("demo")
    async with raw_supplier(answer(b"{}"), end, answer(b"{}")) as supplier:
        transport = open_transport(supplier.url, limiter=limiter)
        await transport.read("/", dict)
        await transport.read("/", dict)
    assert len(supplier.requests) == limiter.admitted == 3


@pytest.mark.parametrize(
    "said", [answer(b'{"success": false, "error": "bad"}', "400 Bad Request"), answer(b"<html>", "200 OK")]
)
async def test_an_answer_is_not_asked_for_again(open_transport, said):
    async with raw_supplier(said) as supplier:
        await failure(open_transport(supplier.url).read("/", dict))
    assert len(supplier.requests) == 1


async def test_a_short_retry_after_is_honoured_and_a_long_one_is_not_waited_for(open_transport):
    limited = answer(b"", "429 Too Many Requests", "Retry-After: 0")
    async with raw_supplier(limited, answer(b'{"ok": 1}')) as supplier:
        assert await open_transport(supplier.url).read("/", dict) == {"ok": 1}
    async with raw_supplier(answer(b"", "429 Too Many Requests", "Retry-After: 900")) as supplier:
        error = await failure(open_transport(supplier.url).read("/", dict))
    assert isinstance(error, RateLimited)
    assert error.retry_after == 900
    assert len(supplier.requests) == 1


async def test_redirects_are_not_followed(open_transport):
    elsewhere = answer(b"{}", "302 Found", "Location: http://127.0.0.1:1/elsewhere")
    async with raw_supplier(elsewhere) as supplier:
        error = await failure(open_transport(supplier.url).read("/", dict))
    assert isinstance(error, UnreadableAnswer)
    assert error.status == 302


async def test_cookies_of_a_supplier_are_not_kept(open_transport):
    async with raw_supplier(answer(b"{}", "200 OK", "Set-Cookie: id=1; Path=/")) as supplier:
        transport = open_transport(supplier.url)
        await transport.read("/", dict)
        await transport.read("/", dict)
    assert b"cookie" not in supplier.requests[1].lower()


# --- writing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("end", [hang_up, reset, say_half(b"HTTP/1.1 200 OK\r\nContent-Le")])
async def test_a_write_is_sent_once_whatever_becomes_of_it(open_transport, method, end):
    async with raw_supplier(end) as supplier:
        error = await failure(open_transport(supplier.url).write(method, "/orders", dict, json={"n": 1}))
    assert error.outcome is Outcome.UNKNOWN
    assert isinstance(error, ConnectionLost)
    assert len(supplier.requests) == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_write_has_a_connection_of_its_own(open_transport, method):
    async with raw_supplier(answer(b"{}")) as supplier:
        transport = open_transport(supplier.url)
        await transport.read("/", dict)
        await transport.write(method, "/orders", dict, json={"n": 1})
        await transport.write(method, "/orders", dict, json={"n": 2})
    assert (len(supplier.requests), supplier.connections) == (3, 3)


async def test_a_write_carries_exact_numbers_or_the_very_bytes(open_transport):
    async with raw_supplier(answer(b"{}")) as supplier:
        transport = open_transport(supplier.url)
        await transport.write("POST", "/a", dict, json={"price": Decimal("4.90")})
        await transport.write("POST", "/b", dict, json=b'{"signed":  1}', headers={"X-Signature": "f00"})
        await transport.write("DELETE", "/c", dict)
    assert supplier.requests[0].endswith(b'\r\n\r\n{"price":4.90}')
    assert b"Content-Type: application/json" in supplier.requests[0]
    assert supplier.requests[1].endswith(b'\r\n\r\n{"signed":  1}')
    assert supplier.requests[2].endswith(b"\r\n\r\n")


@pytest.mark.parametrize("status", ["500 Oops", "503 Busy", "429 Too Many Requests", "408 Timeout"])
async def test_a_write_is_not_repeated_after_an_answer(open_transport, status):
    async with raw_supplier(answer(b"", status, "Retry-After: 0")) as supplier:
        await failure(open_transport(supplier.url).write("PUT", "/orders", dict, json={}))
    assert len(supplier.requests) == 1


def in_seconds(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def test_a_write_past_its_deadline_opens_no_connection(open_transport):
    async with raw_supplier(answer(b'{"price": 1}')) as supplier:
        error = await failure(open_transport(supplier.url).write("POST", "/x", Plan, deadline=in_seconds(-1)))
        assert (type(error), error.outcome) == (DeadlinePassed, Outcome.DID_NOT_HAPPEN)
        assert supplier.connections == 0


async def test_a_write_within_its_deadline_is_sent(open_transport):
    async with raw_supplier(answer(b'{"price": 1}')) as supplier:
        assert await open_transport(supplier.url).write("POST", "/x", Plan, deadline=in_seconds(60)) == Plan(Decimal(1))


async def test_waiting_for_the_rate_past_the_deadline_sends_nothing(open_transport):
    class Slow(MemoryRateLimiter):
        async def admit(self, priority: Priority, *, write: bool = False) -> None:
            await asyncio.sleep(0.2)

    async with raw_supplier(answer(b'{"price": 1}')) as supplier:
        transport = open_transport(supplier.url, limiter=Slow("demo"))
        error = await failure(transport.write("POST", "/x", Plan, deadline=in_seconds(0.1)))
        assert isinstance(error, DeadlinePassed)
        assert supplier.connections == 0


async def test_a_connection_that_stands_too_late_carries_no_byte(open_transport, monkeypatch):
    connect = aiohttp.TCPConnector.connect

    async def slowly(self, *arguments, **options):
        connection = await connect(self, *arguments, **options)
        await asyncio.sleep(0.3)
        return connection

    # No real network is slow between the connection and the first byte when a test wants it.
    monkeypatch.setattr(aiohttp.TCPConnector, "connect", slowly)
    async with raw_supplier(answer(b'{"price": 1}')) as supplier:
        error = await failure(open_transport(supplier.url).write("POST", "/x", Plan, deadline=in_seconds(0.2)))
        assert (type(error), error.outcome) == (DeadlinePassed, Outcome.DID_NOT_HAPPEN)
        await asyncio.sleep(0.05)
        assert (supplier.connections, supplier.requests) == (1, [])


async def test_a_passed_deadline_says_nothing_of_the_supplier(open_transport):
    limiter = MemoryRateLimiter("demo")
    limiter.breaker.failures = 3
    await failure(
        open_transport("http://127.0.0.1:1", limiter=limiter).write("POST", "/x", Plan, deadline=in_seconds(-1))
    )
    assert limiter.breaker.failures == 3


async def test_an_empty_answer_is_none_where_none_is_expected(open_transport):
    async with raw_supplier(b"HTTP/1.1 204 No Content\r\n\r\n") as supplier:
        assert await open_transport(supplier.url).write("PUT", "/x", type(None), json={}) is None


# --- every failure is one error -----------------------------------------------------------------------

FALSE = b'{"success": false, "error": "no"}'


@pytest.mark.parametrize(
    ("said", "kind", "outcome"),
    [
        (answer(b"", "500 Oops"), ServerFault, Outcome.UNKNOWN),
        (answer(FALSE, "502 Bad Gateway"), ServerFault, Outcome.UNKNOWN),
        (answer(FALSE, "408 Request Timeout"), ServerFault, Outcome.UNKNOWN),
        (answer(FALSE, "425 Too Early"), ServerFault, Outcome.UNKNOWN),
        (answer(b"slow down", "429 Too Many Requests"), RateLimited, Outcome.DID_NOT_HAPPEN),
        (answer(FALSE, "400 Bad Request"), InvalidRequest, Outcome.DID_NOT_HAPPEN),
        (answer(FALSE, "422 Unprocessable"), InvalidRequest, Outcome.DID_NOT_HAPPEN),
        (answer(FALSE, "401 Unauthorized"), NotAuthorised, Outcome.DID_NOT_HAPPEN),
        (answer(FALSE, "403 Forbidden"), NotAuthorised, Outcome.DID_NOT_HAPPEN),
        (answer(FALSE, "402 Payment Required"), InsufficientBalance, Outcome.DID_NOT_HAPPEN),
        (answer(FALSE, "404 Not Found"), NotFound, Outcome.DID_NOT_HAPPEN),
        (answer(FALSE, "418 Teapot"), Refused, Outcome.DID_NOT_HAPPEN),
        (answer(FALSE, "409 Conflict"), SupplierError, Outcome.UNKNOWN),
        (answer(FALSE), Refused, Outcome.DID_NOT_HAPPEN),
        (answer(b'{"success": 0, "message": "no"}'), Refused, Outcome.DID_NOT_HAPPEN),
        (answer(b'{"success": "False", "price": "1"}'), Refused, Outcome.DID_NOT_HAPPEN),
        (answer(b'{"success": "0", "price": "1"}'), Refused, Outcome.DID_NOT_HAPPEN),
        (answer(b'{"success": null, "error": "no"}'), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(b'{"success": "no", "error": "no"}'), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(b'{"success": true, "price": "1", "success": false}'), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(b'{"success": false, "price": "1", "success": true}'), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(b'{"success": true, "success": false}', "400 Bad Request"), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(FALSE, "302 Found"), SupplierError, Outcome.UNKNOWN),
        (answer(FALSE, "307 Temporary Redirect", "Location: /base/"), SupplierError, Outcome.UNKNOWN),
        (answer(FALSE, "101 Switching Protocols"), UnreadableAnswer, Outcome.UNKNOWN),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer(FALSE, "422 No"), InvalidRequest, Outcome.DID_NOT_HAPPEN),
        (answer(FALSE, "204 No Content"), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(FALSE, "400 Bad Request", "Content-Encoding: gzip"), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(FALSE[:-1] + b" " * 2_000_000 + b"}", "400 Bad Request"), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(b"<html>not found</html>", "404 Not Found"), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(b'{"error": "no"}', "400 Bad Request"), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(b'{"success": true}', "400 Bad Request"), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(b"", "302 Found"), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(b"<html>welcome</html>"), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(b'{"price": 1'), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(b'{"price": [1]}'), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(b""), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(b"\xff\xfe{"), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(b'{"price": ' + b"[" * 100_000), UnreadableAnswer, Outcome.UNKNOWN),
        (answer(b"[" * 100_000, "400 Bad Request"), UnreadableAnswer, Outcome.UNKNOWN),
        (b"SMTP ready\r\n\r\n", UnreadableAnswer, Outcome.UNKNOWN),
        (hang_up, ConnectionLost, Outcome.UNKNOWN),
        (reset, ConnectionLost, Outcome.UNKNOWN),
        (say_half(answer(b'{"price": 1}')[:-4]), ConnectionLost, Outcome.UNKNOWN),
        (say_nothing, TimedOut, Outcome.UNKNOWN),
        (say_half(b""), ConnectionLost, Outcome.UNKNOWN),
    ],
)
async def test_each_failure_is_mapped_once(open_transport, said, kind, outcome):
    patience = 0.3 if kind is TimedOut else 60
    async with raw_supplier(said) as supplier:
        error = await failure(open_transport(supplier.url, timeout_seconds=patience).write("POST", "/", Plan, json={}))
    assert type(error) is kind
    assert error.outcome is outcome
    assert len(supplier.requests) == 1


async def test_a_slow_drip_ends_at_the_time_out(open_transport):
    async def drip(_reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{")
        while not writer.is_closing():
            writer.write(b" ")
            await asyncio.sleep(0.02)

    async with raw_supplier(drip) as supplier:
        error = await failure(open_transport(supplier.url, timeout_seconds=0.3).write("POST", "/", dict, json={}))
    assert type(error) is TimedOut


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}", "https://127.0.0.1:{port}"])
async def test_where_nobody_listens_nothing_was_carried(open_transport, url):
    with socket.socket() as held:  # bound and not listening, so that nobody else can be there
        held.bind(("127.0.0.1", 0))
        transport = open_transport(url.format(port=held.getsockname()[1]))
        error = await failure(transport.write("POST", "/", dict, json={}))
    assert type(error) is NotReached
    assert error.outcome is Outcome.DID_NOT_HAPPEN


async def test_a_name_that_does_not_resolve_is_not_reached(open_transport, monkeypatch):
    async def unknown(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    # No name may be asked for in a test, so the loop answers as a resolver does that knows none.
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    error = await failure(open_transport("https://supplier.example").write("POST", "/", dict, json={}))
    assert type(error) is NotReached


async def not_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"220 this is no TLS\r\n")
    writer.close()
    await writer.wait_closed()


async def never_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("host", [not_tls, never_answers])
async def test_a_failed_tls_handshake_is_not_reached(open_transport, host):
    server = await asyncio.start_server(host, "127.0.0.1", 0)
    transport = open_transport(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout_seconds=0.3)
    error = await failure(transport.write("POST", "/", dict, json={}))
    server.close()
    await server.wait_closed()
    assert type(error) is NotReached
    assert error.outcome is Outcome.DID_NOT_HAPPEN


async def test_the_plugin_s_own_table_comes_first(open_transport):
    def refusal(status, body):
        return OutOfStock("none left") if status == 409 and b"sold out" in body else None

    sold_out = answer(b'{"success": false, "error": "sold out"}', "409 Conflict")
    other = answer(b'{"success": false, "error": "used"}', "409 Conflict")
    async with raw_supplier(sold_out, other) as supplier:
        transport = open_transport(supplier.url)
        first = await failure(transport.write("POST", "/", dict, json={}, refusal=refusal))
        second = await failure(transport.write("POST", "/", dict, json={}, refusal=refusal))
    assert (type(first), first.outcome, first.status) == (OutOfStock, Outcome.DID_NOT_HAPPEN, 409)
    assert second.outcome is Outcome.UNKNOWN


async def test_a_table_may_name_what_has_no_success_field(open_transport):
    def refusal(status, _body):
        return {422: DuplicateReference("used before"), 302: NotFound("unknown product")}.get(status)

    async with raw_supplier(answer(b"{}", "422 No"), answer(b"", "302 Found")) as supplier:
        transport = open_transport(supplier.url)
        assert type(await failure(transport.write("POST", "/", dict, json={}, refusal=refusal))) is DuplicateReference
        assert type(await failure(transport.read("/", dict, refusal=refusal))) is NotFound


async def test_a_table_that_fails_on_a_hostile_body_leaves_the_doubt(open_transport):
    def refusal(_status, body):
        raise KeyError(body)

    async with raw_supplier(answer(b"{}", "400 Bad Request")) as supplier:
        error = await failure(open_transport(supplier.url).write("POST", "/", dict, json={}, refusal=refusal))
    assert (type(error), error.outcome) == (UnreadableAnswer, Outcome.UNKNOWN)


async def test_success_false_inside_an_item_is_no_refusal(open_transport):
    async with raw_supplier(answer(b'{"success": true, "data": {"last": {"success": false}}}')) as supplier:
        assert (await open_transport(supplier.url).read("/", dict))["success"] is True


@pytest.mark.parametrize("body", ['{{"success": false, "rows": [{0}]}}', '{{"rows": [{0}], "success": false}}'])
async def test_a_refusal_is_seen_in_a_long_body_too(open_transport, body):
    rows = ", ".join(['{"id": "x"}'] * 20_000)
    async with raw_supplier(answer(body.format(rows).encode())) as supplier:
        assert type(await failure(open_transport(supplier.url).read("/", dict))) is Refused


# --- size ---------------------------------------------------------------------------------------------


def bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    begin = packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * 1024 * 1024) + packer.flush(zlib.Z_FULL_FLUSH)
    return begin + block * megabytes


async def test_a_gzip_bomb_is_refused_and_memory_stays_flat(open_transport):
    packed = bomb(400)
    assert len(packed) < 1_000_000
    async with raw_supplier(answer(packed, "200 OK", "Content-Encoding: gzip")) as supplier:
        transport = open_transport(supplier.url, max_body_bytes=2_000_000)
        await failure(transport.read("/warm-up", dict))
        gc.collect()
        tracemalloc.start()
        error = await failure(transport.read("/", dict))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert type(error) is UnreadableAnswer
    assert peak < 8_000_000


async def test_a_body_at_the_cap_is_read_and_one_byte_more_is_not(open_transport):
    body = json.dumps({"text": "x" * 988}).encode()
    assert len(body) == 1000
    for packed, headers in ((body, ()), (gzip.compress(body), ("Content-Encoding: gzip",))):
        async with raw_supplier(answer(packed, "200 OK", *headers)) as supplier:
            assert await open_transport(supplier.url, max_body_bytes=1000).read("/", dict)
            error = await failure(open_transport(supplier.url, max_body_bytes=999).read("/", dict))
        assert type(error) is UnreadableAnswer
        assert "larger than 999 bytes" in error.detail


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("gzip", lambda body: gzip.compress(body[:5]) + gzip.compress(body[5:])),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
        ("GZIP", gzip.compress),
        ("identity", bytes),
    ],
)
async def test_every_packing_that_is_asked_for_is_understood(open_transport, encoding, pack):
    body = json.dumps({"text": "day " * 50_000}).encode()
    async with raw_supplier(answer(pack(body), "200 OK", f"Content-Encoding: {encoding}")) as supplier:
        assert await open_transport(supplier.url).read("/", dict) == json.loads(body)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b'{"a": 1}', mtime=0)[:-9]),
        ("gzip", b'{"a": 1}'),
        ("br", b"\x0b\x02\x80{}\x03"),
        ("gzip", gzip.compress(b'{"a": 1}', mtime=0) + b"rubbish"),
    ],
)
async def test_a_broken_packing_is_unreadable(open_transport, encoding, body):
    async with raw_supplier(answer(body, "200 OK", f"Content-Encoding: {encoding}")) as supplier:
        assert type(await failure(open_transport(supplier.url).read("/", dict))) is UnreadableAnswer


# --- the rate limiter and the log -----------------------------------------------------------------------------


async def test_an_open_breaker_sends_nothing(open_transport):
    async with raw_supplier(answer(b"", "500 Oops")) as supplier:
        transport = open_transport(supplier.url)
        for _ in range(5):
            await failure(transport.write("POST", "/", dict, json={}))
        error = await failure(transport.write("POST", "/", dict, json={}))
    assert type(error) is CircuitOpen
    assert error.outcome is Outcome.DID_NOT_HAPPEN
    assert len(supplier.requests) == 5


async def test_a_rate_limiter_that_cannot_keep_count_loses_no_answer(open_transport):
    class Broken(MemoryRateLimiter):
        async def observed(self, headers, status):
            raise OSError("database is down")

        succeeded = observed

    async with raw_supplier(answer(b'{"order": 1}')) as supplier:
        transport = open_transport(supplier.url, limiter=Broken("demo"))
        transport._limiter.succeeded = lambda: transport._limiter.observed({}, 200)
        with structlog.testing.capture_logs() as lines:
            assert await transport.write("POST", "/", dict, json={}) == {"order": 1}
    assert [line["event"] for line in lines] == ["supplier_rate_record_failed", "breaker_record_failed"]


async def test_a_rate_limiter_that_hangs_holds_no_answer_back_for_long(open_transport, monkeypatch):
    class Hanging(MemoryRateLimiter):
        async def succeeded(self):
            await asyncio.Event().wait()

    monkeypatch.setattr("providers.kit.transport.COUNT_SECONDS", 0.02)
    async with raw_supplier(answer(b'{"order": 1}')) as supplier:
        transport = open_transport(supplier.url, limiter=Hanging("demo"))
        async with asyncio.timeout(PATIENCE):
            assert await transport.write("POST", "/", dict, json={}) == {"order": 1}


async def test_a_supplier_that_fails_is_logged_once_and_once_when_it_is_back(open_transport):
    oops = answer(b"", "500 Oops")
    async with raw_supplier(oops, oops, oops, oops, answer(b"{}"), answer(b"{}"), oops) as supplier:
        transport = open_transport(supplier.url)
        with structlog.testing.capture_logs() as lines:
            for _ in range(4):
                await failure(transport.write("POST", "/", dict, json={}))
            for _ in range(2):
                await transport.write("POST", "/", dict, json={})
            await failure(transport.write("POST", "/", dict, json={}))
    assert [line["event"] for line in lines] == ["supplier_failing", "supplier_recovered"]


async def test_the_priority_reaches_the_rate_limiter(open_transport):
    asked: list[Priority] = []

    class Noting(MemoryRateLimiter):
        async def admit(self, priority, *, write=False):
            asked.append(priority)

    async with raw_supplier(answer(b"{}")) as supplier:
        transport = open_transport(supplier.url, limiter=Noting("demo"))
        await transport.read("/", dict)
        await transport.read("/", dict, priority=Priority.SETTLE)
        await transport.write("POST", "/", dict, json={})
    assert asked == [Priority.SYNC, Priority.SETTLE, Priority.PURCHASE]


@pytest.mark.parametrize("body", [b'{"matching_id": "K2-SECRET"}', b'["K2-SECRET", 1', b' {"pin": "K2-SECRET", '])
async def test_an_answer_of_another_shape_is_not_repeated(open_transport, body):
    async with raw_supplier(answer(body)) as supplier:
        error = await failure(open_transport(supplier.url).write("POST", "/", Plan, json={}))
    assert type(error) is UnreadableAnswer
    assert "SECRET" not in f"{error} {error.args} {error.detail}"
    assert error.detail


async def test_a_refusal_carries_no_secret(open_transport):
    said = f"key {SECRET}, Bearer abc.def, LPA:1$a.example$K2-X, 8944422711108338982, me@example.org"
    body = json.dumps({"success": False, "error": said + "\n" + "x" * 100_000}).encode()
    async with raw_supplier(answer(body, "400 Bad Request")) as supplier:
        error = await failure(open_transport(supplier.url).read("/", dict))
    assert len(str(error)) < 400
    assert "\n" not in str(error)
    for word in (SECRET, "abc.def", "K2-X", "8944422711108338982", "me@example.org"):
        assert word not in str(error)


# --- base URLs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["https://api.example.com/v1", "http://127.0.0.1:8081/pikasim", "http://localhost:1", "http://[::1]:8081/x"],
)
def test_https_anywhere_and_http_to_this_machine_will_do(url):
    assert check_base_url("demo", url + "/") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "http://10.0.0.1",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "ftp://example.com",
        "api.example.com",
        "",
        "https://",
        "https://user:secret@example.com",
        "https://example.com/?a=1",
        "https://example.com/#a",
        "http://[::1",
        "https://example.com:99999",
    ],
)
def test_any_other_base_url_is_a_configuration_error(url):
    with pytest.raises(ConfigurationError, match=r"^suppliers\.demo\.base_url: ") as caught:
        check_base_url("demo", url)
    assert "secret" not in str(caught.value)


async def test_the_transport_works_against_a_real_server(open_transport, aiohttp_server):
    async def plans(request: web.Request) -> web.Response:
        response = web.json_response({"price": 1.5, "days": int(request.query["days"])})
        response.enable_compression(web.ContentCoding.gzip)
        return response

    app = web.Application()
    app.router.add_get("/v1/plans", plans)
    server = await aiohttp_server(app)
    transport = open_transport(str(server.make_url("/v1")))
    assert await transport.read("/plans", Plan, params={"days": 3}) == Plan(Decimal("1.5"), 3)
    assert Received().requests == []


async def test_many_orders_are_under_way_at_once_at_a_supplier_that_takes_its_time(open_transport, aiohttp_server):
    together = asyncio.Barrier(100)

    async def order(_: web.Request) -> web.Response:
        await together.wait()
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/orders", order)
    server = await aiohttp_server(app)
    transport = open_transport(str(server.make_url("/")), timeout_seconds=30.0)
    await asyncio.gather(*(transport.write("POST", "/orders", dict, json={}) for _ in range(together.parties)))


async def test_the_rate_limiter_learns_whether_a_failed_call_was_a_write(open_transport):
    async with raw_supplier(answer(b"", "500 Oops")) as supplier:
        limiter = MemoryRateLimiter("demo")
        transport = open_transport(supplier.url, limiter=limiter)
        await failure(transport.write("POST", "/", dict, json={}))
        assert (limiter.breaker.failures, limiter.breaker.read_failures) == (1, 0)
        await failure(transport.read("/", dict))
        assert limiter.breaker.read_failures == limiter.breaker.failures - 1 > 0


async def test_a_poll_of_an_order_reaches_a_supplier_whose_breaker_is_open(open_transport):
    async with raw_supplier(*[answer(b"", "500 Oops")] * 5, answer(b"{}"), answer(b"{}")) as supplier:
        transport = open_transport(supplier.url)
        for _ in range(5):
            await failure(transport.write("POST", "/", dict, json={}))
        assert isinstance(await failure(transport.write("POST", "/", dict, json={})), CircuitOpen)
        assert isinstance(await failure(transport.read("/", dict)), CircuitOpen)
        assert await transport.read("/", dict, priority=Priority.SETTLE) == {}
        assert await transport.write("POST", "/", dict, json={}) == {}


async def test_a_purchase_uses_the_token_that_its_task_holds(open_transport):
    limiter = MemoryRateLimiter("demo", 1)
    async with raw_supplier(answer(b"{}")) as supplier:
        transport = open_transport(supplier.url, limiter=limiter)
        assert await limiter.acquire("storefront", datetime.now(UTC), 60)
        with token_held() as token:
            assert await transport.write("POST", "/", dict, json={}) == {}
            assert token.used
            assert isinstance(await failure(transport.write("POST", "/", dict, json={})), RateLimited)
    assert len(supplier.requests) == 1
