"""Send by mail what a text message did not bring: the gateway took it, and reported later that it was not delivered."""

from typing import Final

from services.notifier.application.ports import NewDelivery, Now
from services.notifier.application.send_to_customers import worth_sending_until
from services.notifier.domain.contact_channel import MAIL
from services.notifier.domain.decision import Reason
from services.notifier.domain.delivery import Recipient, State
from services.notifier.domain.event import Event

NOT_KEPT: Final = "it is not sent by mail: its event is older than the events that are kept"
ARRIVED: Final = "it is not sent by mail: it was reported as delivered before"


def mail_instead(event: Event, recipient: Recipient, now: Now) -> NewDelivery:
    """The mail to the same contact, decided on as any other; too late it ends at once with that reason."""
    if now.service < worth_sending_until(event):
        return NewDelivery(event, MAIL, recipient, next_at=now.real)
    return NewDelivery(event, MAIL, recipient, State.EXPIRED, Reason.TOO_LATE_FOR_MAIL)
