"""The settings that concern the notifier, and its tuning."""

from datetime import timedelta
from typing import Final

import structlog

from services.chassis.mail_server import find_mail_problem
from services.chassis.mail_settings import DEFAULT_SENDER
from services.chassis.mailbox import ParsedMailbox, parse_mailbox
from services.chassis.settings import Http, Settings
from services.notifier.adapters.channels.email_message import Sender
from services.notifier.application.mail_ports import Mailbox
from services.notifier.domain.request_limit import RequestLimit

log = structlog.get_logger(__name__)

EXAMPLE_NAME: Final = "Example Company"
EXAMPLE_ADDRESS: Final = "1 Example Street, Example City"
GROUP: Final = "notifier"

LINKS_EACH: Final = 20
LINKS_ALL: Final = 600
"""Requests for a fresh link that one client, and all of them, may make within ten minutes."""


def http(settings: Settings) -> Http:
    return settings.notifier


def organization(settings: Settings) -> tuple[str, str]:
    """Name and postal address of who writes; examples stand in where customer mail is not held without them."""
    own = settings.organization
    return own.name or EXAMPLE_NAME, own.postal_address or EXAMPLE_ADDRESS


def sender(settings: Settings) -> Sender:
    """Who mail comes from: under the name that the sender has, else the organisation's."""
    email, (name, _) = settings.email, organization(settings)
    mailbox = parse_mailbox(email.sender)
    is_named = mailbox.name and email.sender != DEFAULT_SENDER
    return Sender(
        mailbox if is_named else ParsedMailbox(name, mailbox.address),
        parse_mailbox(email.reply_to) if email.reply_to else None,
        parse_mailbox(email.redirect_to).address if email.redirect_to else None,
        is_postmark=settings.inbound.postmark_secret is not None,
    )


def organizer(settings: Settings) -> Mailbox:
    """Who invites to what nobody with an address leads."""
    mailbox = sender(settings).mailbox
    return Mailbox(mailbox.name, mailbox.address)


def fallback_to(settings: Settings) -> str | None:
    """The address that is told of work that nobody has."""
    mailbox = settings.email.fallback_to
    return parse_mailbox(mailbox).address if mailbox else None


def link_limit() -> RequestLimit:
    return RequestLimit(LINKS_EACH, LINKS_ALL, timedelta(minutes=10))


def disable_after(settings: Settings) -> timedelta:
    """Real time for which an endpoint may fail."""
    return timedelta(days=settings.webhook_disable_after_days)


def public_url(settings: Settings) -> str:
    """The address under which customers reach the notifier from links in their mail."""
    return (settings.public_url or settings.url_of("notifier")).rstrip("/")


def measured(settings: Settings) -> frozenset[str]:
    """The kinds of engagement that are measured: none where every mail is redirected to an address of ours."""
    return settings.tracking.kinds if settings.email.redirect_to is None else frozenset()


def console_url(settings: Settings) -> str:
    """The address of the console, where links to accounts lead."""
    return (settings.public_url or settings.url_of("console")).rstrip("/")


async def warn_about_mail(configured: Settings) -> None:
    """Log why no mail goes, or none to customers."""
    relay_problem = await find_mail_problem(configured.email)
    if relay_problem is not None:
        log.warning("mail.relay_unreachable", problem=str(relay_problem))
    mail_hold = configured.mail_hold()
    if mail_hold is not None:
        log.warning("mail.held", reason=mail_hold)
