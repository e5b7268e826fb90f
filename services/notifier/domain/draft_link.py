"""The token of the link with which a person of ours decides on a draft from a mail."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.notifier.domain.action_token import LASTS
from services.notifier.domain.link_token import (
    LinkKeys,
    TokenRejected,
    make_link_token,
    read_link_token,
    refuse_expired,
)

PURPOSE: Final = "draft"


@dataclass(frozen=True, slots=True)
class DraftToken:
    """`person_id` None: whoever reads the mailbox of the deployment. `issued_at` is real time, in whole seconds."""

    draft_id: str
    person_id: str | None
    issued_at: datetime


def make_draft_token(keys: LinkKeys, token: DraftToken) -> str:
    """URL-safe; the same for the same draft, person and moment."""
    return make_link_token(keys, PURPOSE, [token.draft_id, token.person_id], token.issued_at)


def read_draft_token(keys: LinkKeys, text: str, *, now: datetime) -> DraftToken:
    """The token at this real moment. Raises TokenRejected and TokenExpired."""
    fields, issued_at = read_link_token(keys, PURPOSE, text)
    if len(fields) != 2 or fields[0] is None:
        raise TokenRejected
    refuse_expired(issued_at, now, LASTS)
    return DraftToken(fields[0], fields[1], issued_at)


def draft_links(base_url: str, keys: LinkKeys) -> Callable[[str, str | None, datetime], str]:
    """Makes the address at which a person decides on a draft, in a mail of this real moment."""

    def draft_url(draft_id: str, person_id: str | None, at: datetime) -> str:
        return f"{base_url}/a/{make_draft_token(keys, DraftToken(draft_id, person_id, at))}"

    return draft_url
