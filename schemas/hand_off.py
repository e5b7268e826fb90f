"""The content of a `due` webhook whose message an automation platform writes instead of Drumbeat.

It stands beside the data of the touchpoint, as `content`. Only subscriptions that take the platform's messages get it.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Email, Id, Language, Name, SchemaModel, Text
from schemas.times import Instant

_Body = Annotated[str, Field(max_length=1_000_000)]


class HandOffRecipient(SchemaModel):
    """A contact who may be written to: opt-outs, pauses and consent were applied."""

    id: Id
    name: str | None = None
    address: Email | None = None
    """null over channels other than mail, for a contact without one."""
    phone: str | None = None
    may_be_written_to: Literal[True] = True
    """Who may not be written to is not listed."""
    not_before: Instant
    """The end of the contact's quiet hours; outside of them, the moment of handing off."""
    language: Language
    subject: Text
    text: _Body
    html: _Body
    """The body alone, as safe HTML: the platform has a layout of its own."""
    values: dict[str, str]
    """The placeholders of the content, as this contact reads them; unknown ones are left out."""
    program_id: str | None = None
    """The program that the message presents."""
    page_url: str
    """The contact's own page with what they get."""
    unsubscribe_url: str
    """Where they end the topic; the message has to show it."""


class HandOffContent(SchemaModel):
    """What the platform sends. The texts are those of the first recipient, empty without one; each has their own."""

    name: Name
    """The platform, as the policy names it."""
    language: Language | None = None
    subject: Text = ""
    text: _Body = ""
    html: _Body = ""
    values: dict[str, str] = Field(default_factory=dict)
    recipients: tuple[HandOffRecipient, ...] = ()
