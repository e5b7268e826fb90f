"""Export what the scheduler stores that names one contact: it has no directory of contacts, only touchpoints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.retention import RetentionRule
from services.scheduler.application.read_touchpoints import TouchpointEntry


@dataclass(frozen=True, slots=True)
class ContactTouchpoints:
    """What the scheduler stores that concerns a contact. `exported_at`: real time.

    `planned`: open touchpoints that contact the customer; `naming`: touchpoints, open and closed, whose content or notes
    name the contact; `dead_letters`: records about the contact that could not be read.
    """

    exported_at: datetime
    planned: Sequence[TouchpointEntry]
    naming: Sequence[TouchpointEntry]
    dead_letters: Sequence[Mapping[str, object]]
    retention: Sequence[RetentionRule]


class ContactExport(Protocol):
    async def export(self, contact_id: str, account_ids: Sequence[str]) -> ContactTouchpoints | None:
        """What concerns a contact of these accounts, with an entry of the audit log.

        None: none of these accounts has a calendar.
        """
        ...
