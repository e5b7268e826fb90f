"""URLs in settings: where services and readers reach each other."""

from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from socket import inet_aton, inet_ntoa
from urllib.parse import urlsplit, urlunsplit


def check_service_url(value: str) -> str:
    """The URL without a final slash. Raises ValueError."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("has to be an http or https URL without a query, like http://10.0.0.7:8001")
    return value.rstrip("/")


def without_user(url: str) -> str:
    """The URL without a user and a password, to be shown."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


def leads_outside(url: str) -> bool:
    """Whether this is an http or https URL of another host than the reader's own machine."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not host:
        return False
    return host != "localhost" and not host.endswith(".localhost") and not _is_own_machine(host)


def _is_own_machine(host: str) -> bool:
    """Whether the address is a loopback or the unspecified one, in any notation that browsers read."""
    with suppress(OSError):
        host = inet_ntoa(inet_aton(host))  # 127.1, 0x7f000001 and 2130706433 are 127.0.0.1
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return any(one.is_loopback or one.is_unspecified for one in (address, mapped) if one is not None)


def with_database(url: str) -> str:
    """The URL of a PostgreSQL server with a database: `postgres` where it names none, not one named as the user is."""
    parts = urlsplit(url)
    return url if parts.path.strip("/") else urlunsplit(parts._replace(path="/postgres"))
