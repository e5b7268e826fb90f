"""What the policy in force says of contacts with customers: budgets, send windows, and what is no contact with one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from schemas.times import SendWindow
from services.notifier.domain.contact_budget import ContactBudget
from services.notifier.domain.event import Event, News, Notice


@dataclass(frozen=True, slots=True)
class ContactRules:
    """`send_windows` by touchpoint type, of those that do not have `send_window`.

    `groups`: types that are held for many customers at once.
    """

    budgets: tuple[ContactBudget, ...] = ()
    send_window: SendWindow | None = None
    send_windows: Mapping[str, SendWindow] = field(default_factory=dict[str, SendWindow])
    groups: frozenset[str] = frozenset()

    def window_of(self, event: Event) -> SendWindow | None:
        """When customers get the message; None: whenever there are no quiet hours.

        What is urgent, what has a time of its own and what tells of the cadence itself does not wait for it.
        """
        if event.news is News.REMINDER or never_waits(event):
            return None
        return self.send_windows.get(event.content.touchpoint_type, self.send_window)


NO_RULES: Final = ContactRules()


def never_waits(event: Event) -> bool:
    """Whether a message counts as a contact without waiting for room: an escalation, and a notice about the cadence."""
    return event.is_escalation or isinstance(event.content, Notice)


def is_contact(event: Event) -> bool:
    """Whether a message to a customer counts as a contact: a reminder belongs to its touchpoint, which counts."""
    return event.news is not News.REMINDER


def is_foldable(event: Event, channel: str) -> bool:
    """Whether the message may go in one mail with others to the same person."""
    return channel == "email" and is_contact(event) and not never_waits(event)
