"""Fold the messages to one contact that fall together into one mail, the most urgent first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, get_args

from schemas.vocabulary import Precedence, Topic
from services.notifier.application.mail_ports import Mail
from services.notifier.application.ports import ClaimResult, MessageClaim, Now
from services.notifier.application.text_ports import TextMessage
from services.notifier.application.write_customer_mail import (
    CustomerMessage,
    CustomerWriter,
    Reader,
    topics_of,
    write_in_layout,
)
from services.notifier.domain.contact_rules import is_foldable

ALONE: Final = "goes as a mail of its own"
_RANKS: Final = {name: rank for rank, name in enumerate(reversed(get_args(Precedence)))}


@dataclass(frozen=True, slots=True)
class Written:
    """A message to a contact that is ready to be sent. Without `mail` and `text` it is posted in the app.

    `is_approved`: somebody of ours approved it, so it goes exactly as it is.
    """

    claim: MessageClaim
    message: CustomerMessage
    reader: Reader
    mail: Mail | None = None
    text: TextMessage | None = None
    is_approved: bool = False

    @property
    def may_fold(self) -> bool:
        """Whether it may wait for others of the same contact, to go in one mail with them."""
        return not self.is_approved and is_foldable(self.claim.event, self.claim.delivery.channel)

    @property
    def is_whole(self) -> bool:
        """Whether it goes alone: it presents a program, which a contact gets once, or asks for answers to itself."""
        content = self.claim.event.content
        is_own = self.message.program_id is not None or content.topic == "surveys"
        return is_own or not self.may_fold


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What goes as one message: one part, or several in one mail, the most urgent first."""

    parts: tuple[Written, ...]
    mail: Mail | None

    @property
    def claims(self) -> list[MessageClaim]:
        return [part.claim for part in self.parts]


def rank_of(claim: MessageClaim) -> tuple[int, datetime, str]:
    """The place of a message among several: by precedence, then by when it came due."""
    event = claim.event
    return _RANKS[event.content.precedence], event.due_at or event.time, claim.delivery.id


def fold_messages(
    written: Sequence[Written], writer: CustomerWriter, now: Now
) -> tuple[list[Outgoing], list[ClaimResult]]:
    """What goes, and the results of those that were claimed with others and go alone after all, at once."""
    claimed: defaultdict[str, list[Written]] = defaultdict(list)
    for one in sorted(written, key=lambda one: rank_of(one.claim)):
        claimed[one.claim.message_id].append(one)
    outgoing: list[Outgoing] = []
    others: list[ClaimResult] = []
    for together in claimed.values():
        parts = _parts_of_one_mail(together)
        outgoing.append(Outgoing(tuple(parts), _mail_of(parts, writer)))
        left = [one.claim for one in together if one not in parts]
        others += [ClaimResult(claim, claim.delivery.postponed(now.real, ALONE)) for claim in left]
    return outgoing, others


def _parts_of_one_mail(together: Sequence[Written]) -> list[Written]:
    """Those that go together, in one language; where none may, the first."""
    folded = [one for one in together if not one.is_whole]
    if not folded:
        return [together[0]]
    return [one for one in folded if one.message.language == folded[0].message.language]


def _mail_of(parts: Sequence[Written], writer: CustomerWriter) -> Mail | None:
    """The mail of the first part, or one with a section for each; its one-click link ends all their topics."""
    first = parts[0]
    if len(parts) == 1 or first.mail is None or first.reader.contact is None:
        return first.mail
    topics = dict[Topic, None]()
    for part in parts:
        topics.update(dict.fromkeys(topics_of(part.claim.event)))
    links = writer.links(first.reader.contact.contact_id, list(topics))
    phrases = writer.book.phrases(first.message.language, first.reader.zone)
    sections = [part.message.section for part in parts]
    joint = write_in_layout(sections, phrases, writer, page_url=links.page)
    return replace(first.mail, message=joint, unsubscribe_url=links.unsubscribe or None)
