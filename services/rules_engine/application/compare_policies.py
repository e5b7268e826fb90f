"""Compare policies: what another policy would change for the stored accounts."""

from collections.abc import Mapping
from typing import Protocol

from services.rules_engine.application.publish_policy import Files


class PolicyComparisons(Protocol):
    """Compares policies over the stored accounts."""

    async def compare(self, files: Files, days: int) -> Mapping[str, object]:
        """The document of a `Difference` from the policy in force, with `sample`. Raises `InvalidPolicy`."""
        ...
