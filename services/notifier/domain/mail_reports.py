"""Reads reports about a mail: that it was not delivered (RFC 3464), or that its recipient complained (RFC 5965)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from email.policy import compat32
from typing import Final

from schemas.vocabulary import Bounce as BounceKind
from services.notifier.domain.address_refusal import refuses_address
from services.notifier.domain.mail_parts import (
    MOST_HEADER,
    find_part,
    header_of,
    message_ids,
    subparts_of,
    text_of,
)

DELIVERY_HEADER: Final = "X-Drumbeat-Delivery"
"""In every mail of ours: the delivery, also where a provider gives the mail another Message-ID."""
MOST_RECIPIENTS: Final = 100
COMPLAINTS: Final = frozenset({"abuse", "fraud", "opt-out"})
_STATUS: Final = re.compile(r"\b([245])\.\d{1,3}\.\d{1,3}\b")
_CODE: Final = re.compile(r"\b([245])\d\d\b")


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail did not reach its recipient. `addresses`: those that the report names as the recipient."""

    message_ids: Sequence[str]
    addresses: Sequence[str]
    kind: BounceKind


@dataclass(frozen=True, slots=True)
class Complaint:
    """The recipient reported the mail as unwanted."""

    message_ids: Sequence[str]


def read_bounce(mail: Message) -> Bounce | None:
    """None: nothing of the report says that a delivery failed or is late."""
    status = find_part(mail, "message/delivery-status")
    failed = [group for group in _groups(status) if _action(group) in ("failed", "delayed")] if status else []
    if not failed:
        return None
    is_hard = any(_is_hard(group) for group in failed)
    names = ("Original-Recipient", "Final-Recipient")
    addresses = [_address(header_of(group, name)) for group in failed for name in names]
    return Bounce(
        original_ids(mail), list(dict.fromkeys(filter(None, addresses))), "hard" if is_hard else "soft"
    )


def read_complaint(mail: Message) -> Complaint | str:
    """The complaint, or why it is none."""
    part = find_part(mail, "message/feedback-report")
    fields = next(_groups(part), None) if part else None
    if fields is None:
        return "the report of feedback has no fields"
    kind = header_of(fields, "Feedback-Type").lower()
    if kind not in COMPLAINTS:
        return "the feedback is no complaint"
    return Complaint(original_ids(mail))


def original_ids(mail: Message) -> Sequence[str]:
    """What names the mail that a report is about, as it was returned with the report: our own header first."""
    for type_ in ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"):
        part = find_part(mail, type_)
        if part is not None:
            original = _original(part)
            own = header_of(original, DELIVERY_HEADER)
            return [*([own] if own else []), *message_ids(original, "Message-ID")]
    return message_ids(mail, "In-Reply-To", "References")


def _original(part: Message) -> Message:
    enclosed = subparts_of(part)
    return enclosed[0] if enclosed else HeaderParser(policy=compat32).parsestr(text_of(part).lstrip())


def _groups(part: Message) -> Iterator[Message]:
    """The groups of fields of a report: the first is about the report, the others each about a recipient."""
    return iter(subparts_of(part)[: MOST_RECIPIENTS + 1])


def _action(group: Message) -> str:
    return header_of(group, "Action").lower()


def _is_hard(group: Message) -> bool:
    status, reply = header_of(group, "Status"), header_of(group, "Diagnostic-Code")
    return _action(group) == "failed" and _class_of(group) == "5" and refuses_address(status, reply)


def _class_of(group: Message) -> str:
    """The first figure of the status, else of the reply of the other server; 5 where neither says."""
    status, reply = header_of(group, "Status"), header_of(group, "Diagnostic-Code")
    found = _STATUS.search(status) or _STATUS.search(reply) or _CODE.search(reply)
    return found.group(1) if found else "5"


def _address(field: str) -> str | None:
    """Of `rfc822; ann@acme.example`."""
    address = field[:MOST_HEADER].rpartition(";")[2].strip().strip("<>")
    return address if "@" in address else None
