"""The settings that concern the notifier, and its tuning."""

from typing import Final

from services.chassis.mailbox import ParsedMailbox, parse_mailbox
from services.chassis.settings import DEFAULT_SENDER, Http, Settings
from services.notifier.adapters.channels.email_message import Sender

EXAMPLE_NAME: Final = "Example Company"
EXAMPLE_ADDRESS: Final = "1 Example Street, Example City"
GROUP: Final = "notifier"
SWEEP_SECONDS: Final = 0.5
"""Real time between checks for deliveries that are due on the service clock."""


def http(settings: Settings) -> Http:
    return settings.notifier


def mail_host(settings: Settings) -> str:
    return settings.email.host or "127.0.0.1"


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
    )


def fallback_to(settings: Settings) -> str | None:
    """The address that is told of work that nobody has."""
    mailbox = settings.email.fallback_to
    return parse_mailbox(mailbox).address if mailbox else None


def public_url(settings: Settings) -> str:
    """The address under which customers reach the notifier from links in their mail."""
    return (settings.public_url or settings.url_of("notifier")).rstrip("/")


def console_url(settings: Settings) -> str:
    """The address of the console, where links to accounts lead."""
    return (settings.public_url or settings.url_of("console")).rstrip("/")
