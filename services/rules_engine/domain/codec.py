"""The memory as bytes and back: compact, versioned, and equal for equal belief. The one module of the domain that knows JSON."""

from services.rules_engine.domain.facts import Facts
from services.rules_engine.domain.issued import Issued

FORMAT = 1


def encode(facts: Facts, issued: Issued) -> bytes:
    """Equal belief, equal bytes."""
    raise NotImplementedError


def decode(account_id: str, data: bytes | None) -> tuple[Facts, Issued]:
    """The memory of an account; None: nothing heard yet."""
    raise NotImplementedError
