"""The guard: no forbidden range can be reached, however its address is written."""

import ipaddress

import pytest

from services.chassis.private_targets import EVERYTHING, NONE, PrivateTargets, parse_private_targets
from services.chassis.target_guard import (
    ForbiddenAddress,
    ForbiddenUrl,
    GuardedResolver,
    check_addresses,
    check_url,
    is_forbidden,
)

FORBIDDEN = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254
172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1
198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:10.0.0.1 ::ffff:0:7f00:1 ::ffff:0:0
64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 2001::1 2001:0:7f00:1:: 2001:10::1 2001:1ff:ffff::1
2001:db8::1 2002:7f00:1::1 2002:a9fe:a9fe:: 3fff::1 3fff:fff::1 5f00::1 fc00::1 fd00:ec2::254 fdff::1
fe80::1 febf::1 fec0::1 ff00::1 ff02::1 4000::1 1fff::1
""".split()  # noqa: SIM905 - a table
ALLOWED = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 169.253.255.255
169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0 192.167.255.255 192.169.0.0
198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255
2606:4700:4700::1111 2001:4860:4860::8888 2a00:1450::1 2001:200::1 3ffe::1 ::ffff:8.8.8.8
""".split()  # noqa: SIM905 - a table


def is_allowed(url: str, private: PrivateTargets = NONE) -> bool:
    try:
        check_url(url, private)
    except ForbiddenUrl:
        return False
    return True


@pytest.mark.parametrize("address", FORBIDDEN)
def test_special_addresses_are_forbidden(address: str) -> None:
    assert is_forbidden(ipaddress.ip_address(address))
    with pytest.raises(ForbiddenAddress):
        check_addresses("somewhere", 443, [address], NONE)


@pytest.mark.parametrize("address", ALLOWED)
def test_their_neighbours_are_allowed(address: str) -> None:
    assert not is_forbidden(ipaddress.ip_address(address))


def test_one_forbidden_address_refuses_the_whole_answer() -> None:
    with pytest.raises(ForbiddenAddress):
        check_addresses("mixed.example", 443, ["8.8.8.8", "127.0.0.1"], NONE)


def test_a_zone_id_does_not_hide_an_address() -> None:
    with pytest.raises(ForbiddenAddress):
        check_addresses("somewhere", 443, ["fe80::1%eth0"], NONE)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hook",
        "ftp://example.com/hook",
        "https://example.com:8080/hook",
        "https://example.com:0/hook",
        "https://example.com:99999/hook",
        "https://user@example.com/hook",
        "https://user:password@example.com/hook",
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://[::ffff:169.254.169.254]/hook",
        "https://[fe80::1%25eth0]/hook",
        "https:///hook",
        "https://example.com/hook#part",
        "https://example.com/a b",
        "https://example.com/\r\nX-Evil: 1",
        "https://" + "a" * 254 + "/hook",
        "https://example.com/" + "a" * 2048,
        "https://[::1/hook",
        "",
        "not a url",
    ],
)
def test_a_url_that_may_not_be_subscribed_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenUrl):
        check_url(url, NONE)


@pytest.mark.parametrize(
    "url", ["https://example.com/hook", "https://example.com:8443/a?b=c", "https://1.1.1.1/"]
)
def test_a_public_https_url_is_allowed(url: str) -> None:
    assert is_allowed(url)
    assert not is_allowed(url.replace("https://", "http://"))


def test_private_addresses_may_be_allowed_for_development_but_not_other_schemes() -> None:
    check_url("http://127.0.0.1:9999/hook", EVERYTHING)
    with pytest.raises(ForbiddenUrl):
        check_url("file:///etc/passwd", EVERYTHING)


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f.1", "2130706433", "0177.0.0.1"])
async def test_names_and_odd_spellings_of_loopback_are_refused_when_resolved(host: str) -> None:
    resolver = GuardedResolver(NONE)

    with pytest.raises(ForbiddenAddress):
        await resolver.resolve(host, 443)


async def test_with_private_addresses_allowed_the_literal_is_returned() -> None:
    results = await GuardedResolver(EVERYTHING).resolve("127.0.0.1", 443)

    assert {result["host"] for result in results} == {"127.0.0.1"}


LISTED = parse_private_targets("hooks.internal,10.1.0.0/16,fd00:1::/32")


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.internal/hook",
        "http://HOOKS.internal:9000/hook",
        "https://hooks.internal.:8080/hook",
        "http://10.1.2.3:8080/hook",
        "http://[fd00:1::5]/hook",
        "https://example.com/hook",
    ],
)
def test_a_listed_private_target_may_be_subscribed_with_plain_http_and_any_port(url: str) -> None:
    assert is_allowed(url, LISTED)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.2.0.1/hook",
        "https://10.2.0.1/hook",
        "http://127.0.0.1:8080/hook",
        "https://[fd00:2::5]/hook",
        "http://8.8.8.8/hook",
        "https://8.8.8.8:8080/hook",
    ],
)
def test_with_a_list_what_is_not_on_it_stays_guarded(url: str) -> None:
    with pytest.raises(ForbiddenUrl):
        check_url(url, LISTED)


@pytest.mark.parametrize(
    ("host", "port", "addresses", "is_reachable"),
    [
        ("hooks.internal", 80, ["192.168.7.7"], True),
        ("other.internal", 8080, ["10.1.9.9"], True),
        ("other.internal", 443, ["10.1.9.9", "8.8.8.8"], True),
        ("other.internal", 8080, ["10.1.9.9", "8.8.8.8"], False),
        ("other.internal", 443, ["10.2.9.9"], False),
        ("other.internal", 443, ["10.1.9.9", "127.0.0.1"], False),
        ("example.com", 80, ["8.8.8.8"], False),
        ("example.com", 443, ["8.8.8.8"], True),
        ("mapped.internal", 80, ["::ffff:10.1.0.9"], True),
    ],
)
def test_at_each_connect_a_name_reaches_only_listed_or_public_addresses(
    host: str, port: int, addresses: list[str], *, is_reachable: bool
) -> None:
    """Issue 11 B: with a list, plain HTTP and other ports only lead to what is on it."""
    if is_reachable:
        check_addresses(host, port, addresses, LISTED)
    else:
        with pytest.raises(ForbiddenAddress):
            check_addresses(host, port, addresses, LISTED)


async def test_a_listed_network_is_looked_up_at_each_connect() -> None:
    loopback = parse_private_targets("127.0.0.0/8")
    (found, *_) = await GuardedResolver(loopback).resolve("127.0.0.1", 9000)
    assert found["host"] == "127.0.0.1"
    with pytest.raises(ForbiddenAddress):
        await GuardedResolver(loopback).resolve("10.0.0.1", 9000)
