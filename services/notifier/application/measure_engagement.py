"""What measuring mails needs from outside, and what is reported of the requests that were made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.notifier.domain.engagement_requests import EngagementRequest, Sign
from services.notifier.domain.provider_events import EngagementReport


@dataclass(frozen=True, slots=True)
class Measuring:
    """`kinds`: what this deployment measures, `opened` and `clicked`; `is_wanted`: whether the contact allows it."""

    kinds: frozenset[str]
    is_wanted: bool

    @property
    def is_offered(self) -> bool:
        """Whether there is anything to object to."""
        return bool(self.kinds)


class EngagementRequests(Protocol):
    async def add(self, delivery_id: str, request: EngagementRequest) -> bool:
        """Store it until it is known who made it; False: its kind is not measured, or not of this contact."""
        ...


class Objections(Protocol):
    async def of_contact(self, contact_id: str) -> Measuring | None:
        """None: the contact is unknown."""
        ...

    async def change(self, contact_id: str, *, is_wanted: bool) -> bool:
        """Binds mails that are written from then on, and requests of mails of before. False: the contact is unknown."""
        ...


def reports_of(delivery_id: str, signs: Sequence[Sign]) -> list[EngagementReport]:
    """What is reported of the mail of this delivery."""
    return [
        EngagementReport([delivery_id], [], sign.kind, sign.is_automatic, sign.link, sign.at)
        for sign in signs
    ]


def request_id(report: EngagementReport) -> str:
    """The same whenever the same is reported."""
    by = "machine" if report.is_automatic else "person"
    return f"measured:{report.kind}:{report.message_ids[0]}:{by}"
