"""Which process this is: its address, the place where it runs, and a boot id of its own.

Two hosts may have one name, and two containers one name and one port. A lease names the boot id too, which is random, so
that no two processes ever share a lease. The place (the kernel's boot, its network, the address) has room for one process
at a time, since two cannot listen on one address: who starts there knows that whoever ran there before has ended.
"""

import secrets
import socket
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from services.chassis.settings import Http

KERNEL_BOOT = Path("/proc/sys/kernel/random/boot_id")
NETWORK = Path("/proc/self/ns/net")


@dataclass(frozen=True, slots=True)
class Replica:
    """`name` is the host and port, for people; `place` and `boot_id` are hexadecimal."""

    name: str
    place: str
    boot_id: str

    @property
    def seat(self) -> str:
        """What this process and those that ran here before have in common, and no other that runs."""
        return f"{self.name}/{self.place}"

    @property
    def owner(self) -> str:
        """The name in this process' leases."""
        return f"{self.seat}/{self.boot_id}"


def identify_replica(http: Http) -> Replica:
    """The replica that listens on this address, from now on; every call returns another boot id."""
    return Replica(f"{socket.gethostname()}:{http.port}", _place(http), secrets.token_hex(4))


def _place(http: Http) -> str:
    try:
        kernel, network = KERNEL_BOOT.read_text().strip(), NETWORK.stat().st_ino
    except OSError:  # not Linux: nothing proves that the process before has ended
        return secrets.token_hex(8)
    return sha256(f"{kernel} {network} {http.host} {http.port}".encode()).hexdigest()[:16]
