"""What briefs for people of ours are written from, and the names of accounts and people in them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.figures import AccountFigures
from schemas.links import account_page
from schemas.touchpoints import TouchpointData
from services.notifier.application.phrases import Phrases
from services.notifier.application.ports import MessageClaim
from services.notifier.domain.situation import Directory

ActionUrl = Callable[[str, str | None], str]
"""Makes the address at which a person (None: the mailbox) acts on a touchpoint."""


@dataclass(frozen=True, slots=True)
class BriefContext:
    """What briefs are written from. `figures` by delivery; `is_test`: nobody acts on what is written."""

    directory: Directory
    phrases: Phrases
    now: datetime
    figures: Mapping[str, AccountFigures]
    action_url: ActionUrl
    organization: str
    console_url: str
    is_day: bool = False
    is_test: bool = False


def touchpoint_of(claim: MessageClaim) -> TouchpointData:
    """People of ours hear of touchpoints only."""
    content = claim.event.content
    if not isinstance(content, TouchpointData):
        raise TypeError(f"{claim.event.id} is about no touchpoint")
    return content


def account_url(data: TouchpointData, context: BriefContext) -> str:
    """The account's page in the console."""
    return data.url or context.console_url + account_page(data.account_id)


def name_of(csm_id: str | None, in_event: str | None, context: BriefContext) -> str:
    """The name of a person of ours; empty for nobody and for an id that nobody described."""
    person = context.directory.csms.get(csm_id or "")
    return (person.name if person else None) or in_event or (person.email if person else None) or ""


def account_name(data: TouchpointData, context: BriefContext) -> str:
    """The account's name, its id only where nobody told a name."""
    account = context.directory.accounts.get(data.account_id)
    return (account.name if account else None) or data.account_name or data.account_id
