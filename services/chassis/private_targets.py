"""Which hosts of our own network webhooks and readers of calendars may reach: none, all of them, or those of a list."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

ON: Final = frozenset({"1", "true", "yes", "on"})
OFF: Final = frozenset({"", "0", "false", "no", "off"})
LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
EXAMPLE: Final = "hooks.internal,10.1.0.0/16"


@dataclass(frozen=True, slots=True)
class PrivateTargets:
    """`is_everything`: every private target. Else `hosts` (lower case) and the addresses in `networks`."""

    is_everything: bool = False
    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def __str__(self) -> str:
        """As the setting is written."""
        return "1" if self.is_everything else ",".join([*sorted(self.hosts), *map(str, self.networks)]) or "0"

    def includes_host(self, host: str) -> bool:
        """Whether the list names this host; its addresses are then not looked at."""
        return self.is_everything or host.lower().rstrip(".") in self.hosts

    def includes_address(self, address: Address) -> bool:
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        one = mapped or address
        return self.is_everything or any(
            one.version == network.version and one in network for network in self.networks
        )


NONE: Final = PrivateTargets()
EVERYTHING: Final = PrivateTargets(is_everything=True)


def parse_private_targets(value: object) -> PrivateTargets:
    """The targets of a setting: on, off, or hosts and networks with commas. Raises ValueError, which names the entry."""
    if isinstance(value, bool):
        return EVERYTHING if value else NONE
    if isinstance(value, PrivateTargets):
        return value
    text = str(value).strip().lower()
    if text in ON | OFF:
        return EVERYTHING if text in ON else NONE
    networks: list[Network] = []
    hosts: set[str] = set()
    for entry in (part.strip() for part in text.split(",")):
        network = _network(entry)
        if network is not None:
            networks.append(network)
        else:
            hosts.add(_host(entry))
    return PrivateTargets(hosts=frozenset(hosts), networks=tuple(networks))


def _network(entry: str) -> Network | None:
    """The network or single address of this text; None: it is meant as a name. Raises ValueError."""
    text = entry.replace("[", "").replace("]", "")
    address = text.partition("/")[0]
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return None
    try:
        return ipaddress.ip_network(text)
    except ValueError as problem:
        try:
            meant = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"{entry!r} is not a network: {problem}") from problem
        raise ValueError(
            f"{entry!r} is not a network, because it names an address inside one: write {meant} for the"
            f" network or {address} for the address"
        ) from problem


def _host(entry: str) -> str:
    """Raises ValueError."""
    if not entry:
        raise ValueError(f"there is nothing between two commas, or after the last; an example: {EXAMPLE}")
    if "://" in entry or "/" in entry or ":" in entry:
        raise ValueError(
            f"{entry!r} is neither a host nor a network: write only the host, without scheme, port and path;"
            f" an example: {EXAMPLE}"
        )
    labels = entry.rstrip(".").split(".")
    if labels[-1].isdigit():
        raise ValueError(f"{entry!r} is not an address: an IPv4 address has four numbers from 0 to 255")
    if len(entry) > 253 or not all(map(LABEL.fullmatch, labels)):
        raise ValueError(
            f"{entry!r} is not a host: a name has letters, digits and hyphens between its dots (one with other"
            f" letters is written in its xn-- form); an example: {EXAMPLE}"
        )
    return entry.rstrip(".")


Setting = Annotated[PrivateTargets, NoDecode, BeforeValidator(parse_private_targets)]
