"""Ports for embedded parts: free ones, remembered so that an address stays the same from run to run."""

import secrets
import socket

# Below the range the kernel takes for outgoing connections: no client of ours can sit on them by chance.
_LOWEST, _HIGHEST = 20_000, 30_000
_ATTEMPTS = 200


def obstacle(port: int, host: str = "127.0.0.1") -> str | None:
    """Why no listener can be opened on this port now, in the system's words; None when one can."""
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


def free_port(remembered: int | None = None, *, avoid: frozenset[int] = frozenset()) -> int:
    """The remembered port while it is free, else another; none of `avoid`."""
    if remembered is not None and remembered not in avoid and is_free(remembered):
        return remembered
    for _ in range(_ATTEMPTS):
        port = _LOWEST + secrets.randbelow(_HIGHEST - _LOWEST)
        if port not in avoid and is_free(port):
            return port
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return int(any_port.getsockname()[1])


def free_ports(count: int, *, remembered: tuple[int, ...] = ()) -> tuple[int, ...]:
    """`count` different free ports, the remembered ones first."""
    chosen: list[int] = []
    for place in range(count):
        wish = remembered[place] if place < len(remembered) else None
        chosen.append(free_port(wish, avoid=frozenset(chosen)))
    return tuple(chosen)
