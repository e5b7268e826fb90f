"""Measure clicks and opens of a mail to a customer: its links and an image lead over addresses of ours."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from services.notifier.application.mail_ports import Mail
from services.notifier.domain.link_token import LinkKeys
from services.notifier.domain.tracked_message import measure_clicks, measure_opens
from services.notifier.domain.tracking_link import TrackingLinks


@dataclass(frozen=True, slots=True)
class MailTracking:
    """`kinds`: what is measured, `opened` and `clicked`. `real_now` dates the links."""

    kinds: frozenset[str]
    base_url: str
    keys: LinkKeys
    real_now: Callable[[], datetime]


def track_mail(mail: Mail, tracking: MailTracking | None, *, may_measure: bool) -> Mail:
    """The mail as it goes to a customer. Without `may_measure`, or where nothing is measured, it stays as it is."""
    if tracking is None or not may_measure:
        return mail
    links = TrackingLinks(tracking.keys, tracking.base_url, mail.delivery_id, tracking.real_now())
    message = mail.message
    if "clicked" in tracking.kinds:
        message = measure_clicks(message, links.click_url)
    if "opened" in tracking.kinds:
        message = measure_opens(message, links.image_url)
    return replace(mail, message=message)
