"""The client for storefronts' URLs: public addresses by https, exceptions, and no way around that."""

import asyncio
import contextlib
import socket
import ssl
import subprocess
import threading
from ipaddress import ip_network

import pytest
from aiohttp.abc import AbstractResolver

from gateway.kit.guarded_http import GuardedHttpClient
from gateway.kit.tasks import end
from tests.kit.waiting import PATIENCE, until

LOOPBACK = (ip_network("127.0.0.0/8"),)
SPELLINGS = ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f000001", "127.1", "localhost"]


class Names(AbstractResolver):
    """Answers each question with the next of its addresses."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = 0

    async def resolve(self, host, port=0, family=socket.AF_INET):
        self.asked += 1
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            {
                "hostname": host, "host": address, "port": port, "proto": 0, "flags": 0,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
            }
            for address in addresses
        ]  # fmt: skip

    async def close(self):
        return


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fe80::1", "fd00::1"],
)
async def test_a_name_that_stands_for_a_private_address_is_not_connected_to(address):
    names = Names([address])
    async with GuardedHttpClient((), resolver=names) as outside:
        reply = await outside.post("https://shop.example.com/hook", b"{}", {})
    assert (reply.status, reply.error, names.asked) == (None, "address_refused", 1)


async def test_a_name_that_stands_for_several_private_addresses_is_not_connected_to():
    async with GuardedHttpClient((), resolver=Names(["10.0.0.1", "127.0.0.1", "::1"])) as outside:
        assert (await outside.post("https://shop.example.com/hook", b"{}", {})).error == "address_refused"


async def test_names_that_nobody_answers_for_keep_no_other_lookup_of_the_process_waiting(monkeypatch):
    answered, asked = threading.Event(), []
    looked_up = socket.getaddrinfo

    def getaddrinfo(host, *rest, **more):
        if str(host).endswith(".example.com"):
            asked.append(host)
            answered.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "nobody answers")
        return looked_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    async with GuardedHttpClient(()) as outside:
        posts = [asyncio.create_task(outside.post(f"https://n{n}.example.com/", b"", {})) for n in range(48)]
        try:
            await until(lambda: len(asked) >= 4)  # the rest wait for a thread, here or there
            loop = asyncio.get_running_loop()
            # As a supplier's name is looked up in the same worker.
            found = await asyncio.wait_for(loop.getaddrinfo("127.0.0.1", 443, type=socket.SOCK_STREAM), PATIENCE)
            assert found[0][4][0] == "127.0.0.1"
        finally:
            answered.set()
        assert {reply.error for reply in await asyncio.gather(*posts)} == {"name_not_found"}


async def test_a_name_of_the_system_is_found(receiver):
    port = receiver.url.split(":")[2].split("/")[0]
    async with GuardedHttpClient((*LOOPBACK, ip_network("::1/128"))) as outside:
        assert (await outside.post(f"http://localhost:{port}/hook", b"{}", {})).status == 204


async def test_a_name_that_changes_what_it_stands_for_is_looked_at_each_time(receiver):
    port = receiver.url.split(":")[2].split("/")[0]
    names = Names(["127.0.0.1"], ["127.66.6.6"])
    async with GuardedHttpClient((ip_network("127.0.0.1/32"),), resolver=names) as outside:
        first = await outside.post(f"http://shop.example.com:{port}/hook", b"{}", {})
        second = await outside.post(f"http://shop.example.com:{port}/hook", b"{}", {})
    assert (first.status, second.error) == (204, "address_refused")
    assert len(receiver.got) == 1


@pytest.mark.parametrize("host", SPELLINGS)
async def test_a_literal_in_any_spelling_is_not_connected_to(receiver, host):
    port = receiver.url.split(":")[2].split("/")[0]
    async with GuardedHttpClient(()) as outside:
        for scheme in ("http", "https"):
            reply = await outside.post(f"{scheme}://{host}:{port}/hook", b"{}", {})
            assert (reply.status, reply.error) == (None, "address_refused")
    assert receiver.got == []


async def test_the_socket_itself_is_guarded_should_a_url_pass(receiver, monkeypatch):
    monkeypatch.setattr("gateway.kit.guarded_http.fault_of_url", lambda *_: None)
    port = receiver.url.split(":")[2].split("/")[0]
    async with GuardedHttpClient(()) as outside:
        for host in ("127.0.0.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]"):
            for scheme in ("http", "https"):
                reply = await outside.post(f"{scheme}://{host}:{port}/hook", b"{}", {})
                assert (reply.status, reply.error) == (None, "address_refused")
    assert receiver.got == []


async def test_a_redirect_is_not_followed(receiver):
    receiver.answers = [302, 307]
    async with GuardedHttpClient(LOOPBACK) as outside:
        replies = [await outside.post(receiver.url, b"{}", {}) for _ in range(2)]
    assert [(r.status, r.error) for r in replies] == [(302, "redirect"), (307, "redirect")]
    assert len(receiver.got) == 2


async def test_a_proxy_of_the_environment_is_not_used(receiver, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", receiver.url)
    monkeypatch.setenv("HTTPS_PROXY", receiver.url)
    async with GuardedHttpClient((), resolver=Names(["10.0.0.1"])) as outside:
        await outside.post("https://shop.example.com/", b"{}", {})
    assert receiver.got == []


_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


async def _early(writer):
    """Answers before it has read anything, and reads nothing after that."""
    writer.write(_OK + b"Content-Length: 5\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(3600)


async def _endless(writer, start, piece):
    writer.write(start)
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)


async def _trickle(writer):
    for byte in _OK + b"X-Slow: 1\r\n" * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (_early, (200, None)),
        (lambda w: _endless(w, _OK + _CHUNKED, b"1000\r\n%b\r\n" % (b"a" * 4096)), (200, None)),
        (lambda w: _endless(w, _OK, b"X-More: %b\r\n" % (b"a" * 4000)), (None, "disconnected")),
        (lambda w: _endless(w, _OK + b"X-Long: ", b"a" * 4000), (None, "disconnected")),
        (lambda w: _endless(w, b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"), (None, "timeout")),
        (lambda w: _endless(w, b"", b"\x00\xff" * 100 + b"\r\n\r\n"), (None, "disconnected")),
        (_trickle, (None, "timeout")),
    ],
    ids=["early", "endless body", "endless headers", "endless line", "endless hints", "noise", "trickle"],
)  # fmt: skip
async def test_no_receiver_holds_a_delivery_or_fills_the_memory(answer, told):
    tasks = []

    async def connected(_reader, writer):
        tasks.append(asyncio.current_task())
        with contextlib.suppress(OSError), contextlib.closing(writer):
            await answer(writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with GuardedHttpClient(LOOPBACK, timeout_seconds=1) as outside:
            url = f"http://127.0.0.1:{port}/hook"
            reply = await asyncio.wait_for(outside.post(url, b"a" * 900_000, {}), PATIENCE)
        assert (reply.status, reply.error) == told
    finally:
        server.close()
        await end(*tasks)


async def test_why_there_is_no_answer_is_told_in_a_word(receiver, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    async with GuardedHttpClient(LOOPBACK, timeout_seconds=60) as outside:
        assert (await outside.post(f"http://127.0.0.1:{port}/", b"", {})).error == "no_connection"
        assert (await outside.post(receiver.url.replace("http:", "https:"), b"", {})).error == "tls"
    receiver.hold = asyncio.Event()
    async with GuardedHttpClient(LOOPBACK, timeout_seconds=0.2) as hasty:
        assert (await hasty.post(receiver.url, b"", {})).error == "timeout"
    receiver.hold.set()


@pytest.fixture
def certificate(tmp_path):
    """A key and a certificate that nobody vouches for."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=shop.example.com",
         "-addext", "subjectAltName=DNS:shop.example.com", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, certificate


async def test_a_certificate_that_nobody_vouches_for_is_refused(certificate):
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    key, trusted = certificate
    served.load_cert_chain(trusted, key)

    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=served)
    url = f"https://shop.example.com:{server.sockets[0].getsockname()[1]}/"
    trusting = ssl.create_default_context(cafile=str(trusted))
    async with server:
        async with GuardedHttpClient(LOOPBACK, resolver=Names(["127.0.0.1"])) as outside:
            assert (await outside.post(url, b"", {})).error == "certificate"
        async with GuardedHttpClient(LOOPBACK, resolver=Names(["127.0.0.1"]), tls=trusting) as outside:
            assert (await outside.post(url, b"", {})).status == 204
