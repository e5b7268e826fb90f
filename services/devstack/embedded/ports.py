"""Free ports for embedded parts; those of the previous run are preferred, so that addresses stay the same."""

import secrets
import socket
from collections.abc import Sequence

# Below the range of ports the kernel uses for outgoing connections, so that no client occupies one by chance.
_LOWEST, _HIGHEST = 20_000, 30_000
_ATTEMPTS = 200


def obstacle(port: int, host: str = "127.0.0.1") -> str | None:
    """The system's reason why no listener can be opened on this port now; None when one can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as problem:
            return problem.strerror or str(problem)
    return None


def is_free(port: int) -> bool:
    """Whether a listener could be opened on this loopback port now."""
    return obstacle(port) is None


def free_port(preferred: int | None = None, *, avoid: frozenset[int] = frozenset()) -> int:
    """The preferred port if it is free, otherwise another; none of `avoid`."""
    if preferred is not None and preferred not in avoid and is_free(preferred):
        return preferred
    for _ in range(_ATTEMPTS):
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
        if port not in avoid and is_free(port):
            return port
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return int(any_port.getsockname()[1])


def free_ports(count: int, *, preferred: Sequence[int | None] = ()) -> tuple[int, ...]:
    """`count` different free ports, the preferred ones first."""
    ports: list[int] = []
    for index in range(count):
        port = preferred[index] if index < len(preferred) else None
        ports.append(free_port(port, avoid=frozenset(ports)))
    return tuple(ports)
