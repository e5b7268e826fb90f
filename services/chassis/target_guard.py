"""The guard against requests into our own network: which addresses a URL that somebody gave us may never reach.

`ipaddress.is_global` is True for many ways to write an internal address (NAT64, 6to4, Teredo, mapped), so the
lists are explicit: the special-purpose addresses of RFC 6890, and multicast. Names are resolved
at every connect and the connection uses the checked address; one forbidden address refuses all of a name.

The operator may list targets of our own network: hosts, which are trusted by name, and networks. Only for them plain HTTP
and other ports are allowed.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from aiohttp.abc import AbstractResolver, ResolveResult

from services.chassis.private_targets import Address, PrivateTargets

PORTS = frozenset({443, 8443})
MAX_URL, MAX_HOST = 2048, 253
RESOLVE_SECONDS = 5.0

FORBIDDEN_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
MAPPED_V6 = ipaddress.IPv6Network("::ffff:0:0/96")
# Inside the global range: Teredo and ORCHID, documentation, 6to4. Outside it everything is forbidden.
FORBIDDEN_V6 = tuple(
    ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


class ForbiddenAddress(OSError):
    """The host resolves to an address that our requests may not reach."""


class ForbiddenUrl(Exception):
    """The URL is malformed, or its host is one that our requests may not reach; the message says why."""


def is_forbidden(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return any(address in network for network in FORBIDDEN_V4)
    if address in MAPPED_V6:
        return is_forbidden(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address not in GLOBAL_V6 or any(address in network for network in FORBIDDEN_V6)


def check_addresses(host: str, port: int, addresses: Iterable[str], private: PrivateTargets) -> None:
    """Raises ForbiddenAddress if any of the addresses of the host is forbidden, or the port with a public one."""
    if private.includes_host(host):
        return
    for address in addresses:
        one = ipaddress.ip_address(address.partition("%")[0])
        if private.includes_address(one):
            continue
        if is_forbidden(one):
            raise ForbiddenAddress(f"{host} resolves to {address}, an address that requests may not reach")
        if port not in PORTS:
            raise ForbiddenAddress(f"{host} resolves to {address}, where requests may not reach port {port}")


@lru_cache(maxsize=4096)
def check_url(url: str, private: PrivateTargets) -> None:
    """The checks without network: scheme, port, user info, length, literal addresses. Raises ForbiddenUrl.

    Where networks are listed, the port of a name is checked with its addresses, at every connect.
    """
    if len(url) > MAX_URL or " " in url or not url.isprintable():
        raise ForbiddenUrl(f"the URL must be printable, without spaces, at most {MAX_URL} characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        raise ForbiddenUrl(f"the URL cannot be read: {problem}") from problem
    _check_parts(parts)
    host = parts.hostname or ""
    literal = _literal(host)
    if private.includes_host(host) or (literal is not None and private.includes_address(literal)):
        return
    is_usual = (port_of(parts.scheme, port)) in PORTS
    may_be_listed = literal is None and bool(private.networks) and not is_usual
    if parts.scheme != "https" and not may_be_listed:
        raise ForbiddenUrl("the URL must begin with https://")
    if not is_usual and not may_be_listed:
        raise ForbiddenUrl(f"the port must be one of {', '.join(map(str, sorted(PORTS)))}")
    if literal is not None and is_forbidden(literal):
        raise ForbiddenUrl(f"{host} is an address that requests may not reach")


def port_of(scheme: str, port: int | None) -> int:
    """The port of a URL, that of its scheme where it names none."""
    return port if port is not None else 443 if scheme == "https" else 80


def _check_parts(parts: SplitResult) -> None:
    if parts.scheme not in ("http", "https"):
        raise ForbiddenUrl("the URL must begin with https://")
    if parts.username is not None or parts.password is not None:
        raise ForbiddenUrl("the URL must not contain a user name or password")
    if not parts.hostname or len(parts.hostname) > MAX_HOST:
        raise ForbiddenUrl(f"the URL needs a host of at most {MAX_HOST} characters")
    if parts.fragment:
        raise ForbiddenUrl("the URL must not contain a fragment")


def _literal(host: str) -> Address | None:
    """The address that the host is; None: a name, which is resolved and checked at every connect."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


async def resolve(host: str, port: int, family: int = socket.AF_UNSPEC) -> list[tuple[int, str]]:
    """Every address of the host as (family, literal). Raises OSError when there is none."""
    loop = asyncio.get_running_loop()
    entries = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    return [(entry[0], str(entry[4][0])) for entry in entries]


async def check_target(url: str, private: PrivateTargets) -> None:
    """All checks of a URL, also of what its host resolves to now. Raises ForbiddenUrl. Nothing is sent."""
    check_url(url, private)
    parts = urlsplit(url)
    host, port = parts.hostname or "", port_of(parts.scheme, parts.port)
    if private.includes_host(host):
        return
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            addresses = await resolve(host, port)
        check_addresses(host, port, (literal for _, literal in addresses), private)
    except ForbiddenAddress as problem:
        raise ForbiddenUrl(str(problem)) from problem
    except (OSError, UnicodeError) as problem:
        raise ForbiddenUrl(f"{host} cannot be resolved: {problem}") from problem


class GuardedResolver(AbstractResolver):
    """Resolves names for aiohttp, which connects to exactly the addresses it gets."""

    def __init__(self, private: PrivateTargets) -> None:
        self._private = private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        addresses = list(dict.fromkeys(await resolve(host, port, family)))
        check_addresses(host, port, (literal for _, literal in addresses), self._private)
        return [_result(host, port, literal_family, literal) for literal_family, literal in addresses]

    async def close(self) -> None:
        return


def _result(host: str, port: int, family: int, literal: str) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=literal,
        port=port,
        family=family,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )
