"""What taking in the events of mail providers needs from outside: what SNS publishes."""

from typing import Protocol

from services.notifier.domain.sns_message import SnsMessage


class ProofUnavailable(Exception):
    """What proves the sender cannot be fetched now; the message says why."""


class SnsProof(Protocol):
    async def check(self, message: SnsMessage) -> None:
        """Returns when SNS signed the message for our topic. Raises ProofRejected and ProofUnavailable."""
        ...

    async def confirm(self, message: SnsMessage) -> None:
        """Confirm the subscription to our topic that a checked message offers. Raises as `check`."""
        ...
