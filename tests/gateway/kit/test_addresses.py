"""Which addresses and URLs a storefront may name."""

from ipaddress import ip_address, ip_network

import pytest

from gateway.kit.addresses import counted_as, fault_of_url, is_public, may_connect

LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@pytest.mark.parametrize(
    "text", ["1.1.1.1", "8.8.8.8", "203.0.114.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_an_address_of_the_internet_is_public(text):
    assert is_public(ip_address(text))
    assert may_connect(text, (), encrypted=True)


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "127.255.0.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "192.0.0.9", "192.0.2.1", "198.18.0.1", "198.51.100.7", "224.0.0.1", "239.1.1.1", "240.0.0.1",
        "255.255.255.255", "192.88.99.1",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe",
        "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b::169.254.169.254", "64:ff9b:1::1",
        "::127.0.0.1", "::ffff:0:127.0.0.1", "2002:7f00:1::", "2002:808:808::1", "2001::1",
        "2001:0:53aa:64c:0:fbfe:80ff:fffe",
        "100::1", "4000::1", "localhost", "",
    ],
)  # fmt: skip
def test_no_socket_is_opened_to_an_address_that_is_not(text):
    assert not may_connect(text, (), encrypted=True)
    assert not may_connect(text, (), encrypted=False)


def test_an_exception_may_be_reached_by_http_and_nothing_else_may():
    assert may_connect("127.0.0.1", LOOPBACK, encrypted=False)
    assert may_connect("::ffff:127.0.0.1", LOOPBACK, encrypted=False)
    assert may_connect("::1", LOOPBACK, encrypted=True)
    assert not may_connect("10.0.0.1", LOOPBACK, encrypted=True)
    assert not may_connect("8.8.8.8", LOOPBACK, encrypted=False)
    # Not this machine: whoever translates would connect to its own.
    assert not may_connect("64:ff9b::7f00:1", LOOPBACK, encrypted=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example.com/hook", "https://shop.example.com:8443/a?b=c", "HTTPS://SHOP.EXAMPLE.COM",
        "https://8.8.8.8/", "https://[2606:4700::1111]/",
    ],
)  # fmt: skip
def test_an_https_url_at_a_public_place_is_taken(url):
    assert fault_of_url(url, ()) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example.com/", "ftp://shop.example.com/", "file:///etc/passwd", "shop.example.com",
        "//shop.example.com",
        "https://", "https:///x", "https://user@shop.example.com/", "https://user:word@shop.example.com/",
        "https://shop.example.com/#part", "https://shop.example.com:0/", "https://shop.example.com:99999/",
        "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/",
        "https://169.254.169.254/latest/meta-data", "https://10.0.0.1:8080/", "https://localhost/", "https://a.localhost./",
        "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/", "https://0/", "https://1.2.3.0x1/",
        "https://intranet/", "https://shop.example.com/ ", "https://shop.example.com/\n", "https://shop.example.com\\@10.0.0.1/",
        "https://[::1", "https://shöp.example.com/", "https://shop.example.com/" + "a" * 2100, "",
    ],
)  # fmt: skip
def test_any_other_url_is_refused_with_a_reason(url):
    assert fault_of_url(url, ())


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/hook", "http://localhost:9000/", "http://[::1]/", "https://127.0.0.1/"]
)
def test_an_exception_may_be_named_with_http(url):
    assert fault_of_url(url, LOOPBACK) is None
    assert fault_of_url(url, ())


def test_an_exception_excepts_nothing_else():
    assert fault_of_url("http://10.0.0.1/", LOOPBACK)
    assert fault_of_url("http://8.8.8.8/", LOOPBACK)


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("unknown", "unknown"),
    ],
)
def test_limits_count_an_ipv6_address_by_its_64(text, counted):
    assert counted_as(text) == counted
