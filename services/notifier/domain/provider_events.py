"""What mail providers report about mails of ours: the webhooks of Postmark, and of Amazon SES through SNS.

Which mail it is stands in what the mail took along: our header, the metadata of Postmark, or its Message-ID.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, cast

from services.notifier.domain.engagement_requests import EngagementKind, is_machine
from services.notifier.domain.mail_reports import DELIVERY_HEADER, Bounce, Complaint

METADATA: Final = "drumbeat-delivery"
"""The name under which Postmark keeps the delivery with the mail: its header is `X-PM-Metadata-drumbeat-delivery`."""
MOST_ADDRESSES: Final = 50
MOST_ID: Final = 200
_POSTMARK_HARD: Final = frozenset({"HardBounce", "BadEmailAddress"})
_POSTMARK_NO_BOUNCE: Final = frozenset(
    {"AutoResponder", "AddressChange", "ChallengeVerification", "Subscribe", "OpenRelayTest"}
)
_ID: Final = re.compile(r"[^<>\s]{1,300}")
Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ProviderReport:
    """A provider says that a mail arrived, or that its recipient unsubscribed."""

    message_ids: Sequence[str]
    addresses: Sequence[str]
    kind: Literal["delivered", "unsubscribed"]


@dataclass(frozen=True, slots=True)
class EngagementReport:
    """A mail was opened, or a link of it was followed: measured here, or by a provider.

    `is_automatic`: by a machine; `url`: the link; `at`: real time, None: now.
    """

    message_ids: Sequence[str]
    addresses: Sequence[str]
    kind: EngagementKind
    is_automatic: bool
    url: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """`id`: the same each time it is reported. `content` None: it is nothing that is taken in.

    `provider_id`: what the provider named the mail in place of our Message-ID, without the domain.
    """

    id: str
    content: Bounce | Complaint | ProviderReport | EngagementReport | None
    provider_id: str | None = None


def read_postmark(document: Json) -> ProviderEvent:
    """A webhook of Postmark; fields that are missing or of another type count as empty."""
    record, kind = _text(document, "RecordType"), _text(document, "Type")
    number = _text(document, "ID") or _text(document, "ChangedAt") or _text(document, "DeliveredAt")
    own_id = _text(document, "MessageID")
    id_ = f"postmark:{record}:{own_id}:{number}"
    metadata, headers = _object(document, "Metadata"), _headers(document.get("Headers"))
    ids = _ids(_text(metadata, METADATA), headers, own_id)
    addresses = list(filter(None, (_text(document, "Email") or _text(document, "Recipient"),)))
    match record:
        case "SpamComplaint":
            return ProviderEvent(id_, Complaint(ids))
        case "Bounce":
            return ProviderEvent(id_, _postmark_bounce(kind, ids, addresses))
        case "Delivery":
            return ProviderEvent(id_, ProviderReport(ids, addresses, "delivered"))
        case "Open" | "Click":
            report = _engagement(record, document, "OriginalLink", ids, addresses)
            return ProviderEvent(_engagement_id("postmark", own_id, report), report)
        case "SubscriptionChange" if _is_unsubscription(document):
            return ProviderEvent(id_, ProviderReport(ids, addresses, "unsubscribed"))
        case _:
            return ProviderEvent(id_, None)


def _postmark_bounce(
    kind: str, ids: Sequence[str], addresses: Sequence[str]
) -> Bounce | Complaint | ProviderReport | None:
    if kind == "SpamComplaint":
        return Complaint(ids)
    if kind == "Unsubscribe":
        return ProviderReport(ids, addresses, "unsubscribed")
    if kind in _POSTMARK_NO_BOUNCE:
        return None
    return Bounce(ids, addresses, "hard" if kind in _POSTMARK_HARD else "soft")


def _is_unsubscription(document: Json) -> bool:
    """By the recipient's own act: bounces and complaints, which also end sending, are reported on their own."""
    is_own = _text(document, "Origin") == "Recipient"
    return (
        document.get("SuppressSending") is True
        and is_own
        and _text(document, "SuppressionReason")
        in (
            "",
            "ManualSuppression",
        )
    )


def read_ses(document: Json) -> ProviderEvent:
    """A notification or an event of Amazon SES, the text of a message of SNS."""
    kind = _text(document, "notificationType") or _text(document, "eventType")
    mail = _object(document, "mail")
    headers = _headers(mail.get("headers"))
    ids = _ids("", headers, _text(_object(mail, "commonHeaders"), "messageId"))
    details = _object(document, kind.lower())
    own_id = _text(mail, "messageId")
    if kind in ("Open", "Click"):
        report = _engagement(kind, details, "link", ids, [])
        return ProviderEvent(_engagement_id("ses", own_id, report), report, own_id[:MOST_ID] or None)
    id_ = f"ses:{kind}:{own_id}:{_text(details, 'feedbackId') or _text(details, 'timestamp')}"
    return ProviderEvent(id_, _ses_content(kind, details, ids), own_id[:MOST_ID] or None)


def _ses_content(kind: str, details: Json, ids: Sequence[str]) -> Bounce | Complaint | ProviderReport | None:
    match kind:
        case "Bounce":
            addresses = _addresses(details.get("bouncedRecipients"))
            is_hard = _text(details, "bounceType") == "Permanent"
            return Bounce(ids, addresses, "hard" if is_hard else "soft")
        case "Complaint" if _text(details, "complaintFeedbackType") != "not-spam":
            return Complaint(ids)
        case "Delivery":
            return ProviderReport(ids, _texts(details.get("recipients")), "delivered")
        case _:
            return None


def _engagement(
    name: str, details: Json, link: str, ids: Sequence[str], addresses: Sequence[str]
) -> EngagementReport:
    """Both providers tell the User-Agent; `link`: the field with the address that was clicked."""
    agent = _text(details, "UserAgent") or _text(details, "userAgent")
    kind: EngagementKind = "opened" if name == "Open" else "clicked"
    return EngagementReport(ids, addresses, kind, is_machine(agent), _text(details, link) or None)


def _engagement_id(provider: str, own_id: str, report: EngagementReport) -> str:
    """The same for every open of a mail, and for every click, by people and by machines."""
    by = "machine" if report.is_automatic else "person"
    return f"{provider}:{report.kind}:{own_id}:{by}"


def _ids(own: str, headers: Mapping[str, str], message_id: str) -> Sequence[str]:
    """What may name the delivery, the surest first, without brackets."""
    found = (own, headers.get(DELIVERY_HEADER.lower(), ""), headers.get("message-id", ""), message_id)
    texts = (one.strip().strip("<>") for one in found)
    return list(dict.fromkeys(text for text in texts if _ID.fullmatch(text)))


def _headers(value: object) -> Mapping[str, str]:
    """Of a list of objects with a name and a value; by name in small letters."""
    entries = [
        (_text(one, "name") or _text(one, "Name"), _text(one, "value") or _text(one, "Value"))
        for one in _objects(value)
    ]
    return {name.lower(): text for name, text in entries}


def _addresses(value: object) -> list[str]:
    return [address for one in _objects(value) if (address := _text(one, "emailAddress"))]


def _objects(value: object) -> Iterable[Json]:
    entries = cast("list[object]", value)[: 4 * MOST_ADDRESSES] if isinstance(value, list) else []
    return [cast("Json", one) for one in entries if isinstance(one, dict)]


def _texts(value: object) -> list[str]:
    entries = cast("list[object]", value)[:MOST_ADDRESSES] if isinstance(value, list) else []
    return [one for one in entries if isinstance(one, str)]


def _object(document: Json, name: str) -> Json:
    value = document.get(name)
    return cast("Json", value) if isinstance(value, dict) else {}


def _text(document: Json, name: str) -> str:
    """A text or a number as text, without what a database cannot store."""
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)[:1_000].replace("\x00", "").encode("utf-8", "replace").decode()
