"""Write the mail that a person of ours gets: about one cause, or about the day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from schemas.figures import AccountFigures
from schemas.touchpoints import TouchpointData
from services.notifier.application.brief_context import BriefContext, account_name, account_url, touchpoint_of
from services.notifier.application.join_briefs import join_groups
from services.notifier.application.mail_ports import Mail
from services.notifier.application.owner_brief import Brief, write_brief
from services.notifier.application.phrases import Phrases
from services.notifier.application.ports import InAppMessage, MessageClaim, Now
from services.notifier.application.sending import Sending
from services.notifier.domain import message
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.event import News
from services.notifier.domain.owner_policy import address_of, is_stranger
from services.notifier.domain.situation import Directory
from services.notifier.domain.working_day import zone_of

MailKind = Literal["day", "now", "hands", "reminder", "at_risk", "unowned"]
PREVIEWED = 3
_BEHIND_PREHEADER = "\u00a0\u200c" * 80
"""Fills the preview of mail programs, which otherwise goes on with the first words of the body."""


@dataclass(frozen=True, slots=True)
class AccountBriefs:
    """What there is about one account. `url`: its page in the console."""

    name: str
    url: str
    briefs: Sequence[Brief]


@dataclass(frozen=True, slots=True)
class OwnerMessage:
    """What a person of ours reads. `missing`: placeholders of the content without a value."""

    message: message.Message
    language: str
    missing: tuple[str, ...]


def write_owner_mail(
    claims: Sequence[MessageClaim],
    directory: Directory,
    figures: Mapping[str, AccountFigures],
    now: Now,
    sending: Sending,
) -> Mail:
    """The one mail of these claims, which have one recipient. `figures` by delivery."""
    first = claims[0]
    recipient = first.delivery.recipient
    situation = directory.situation_of(first.event, fallback_to=sending.fallback_to)
    context = owner_context(recipient, directory, figures, now, sending)
    written = write_owner_message(claims, context, sending.render)
    return Mail(first.message_id, address_of(first.event, recipient, situation) or "", written.message)


def write_owner_message(
    claims: Sequence[MessageClaim], context: BriefContext, render: message.Render
) -> OwnerMessage:
    """The words of the mail of these claims."""
    first = claims[0]
    recipient, kind = first.delivery.recipient, kind_of(first, context.directory)
    context = replace(context, is_day=kind == "day")
    person, phrases = context.directory.csms.get(recipient.id or ""), context.phrases
    newest = newest_of_each(claims)
    accounts = _by_account(newest, context)
    subject = message.one_line(_subject(kind, newest, accounts, context))
    name = (person.name if person else None) or ""
    words = {
        **_words(phrases),
        "subject": subject,
        "preheader": _preheader(accounts),
        "padding": _BEHIND_PREHEADER,
        "test": phrases.text("mail", "test") if context.is_test else "",
        "hello": phrases.text("owner", "hello", name=name) if name else phrases.text("owner", "hello_all"),
        "intro": phrases.text("owner", f"intro_{kind}"),
        "accounts": accounts,
        "footer": phrases.text(
            "owner", "why_mailbox" if recipient.kind is RecipientKind.MAILBOX else "why_owner"
        ),
    }
    return OwnerMessage(
        message.Message(
            subject=message.header(f"[Test] {subject}" if context.is_test else subject),
            text=render("owner.txt", words, html=False),
            html=render("owner.html", words, html=True),
        ),
        phrases.language,
        tuple(name for account in accounts for brief in account.briefs for name in brief.missing),
    )


def write_feed_entry(claim: MessageClaim, directory: Directory, now: Now, sending: Sending) -> InAppMessage:
    """The same about one touchpoint for the in-app feed of a person of ours."""
    context = owner_context(claim.delivery.recipient, directory, {}, now, sending)
    brief, data = write_brief(claim, context), touchpoint_of(claim)
    lines = (*brief.news, brief.time, brief.body_text, brief.purpose, brief.reason)
    title = f"{account_name(data, context)}: {brief.title}"
    return InAppMessage(message.one_line(title), "\n".join(filter(None, lines)))


def owner_context(
    recipient: Recipient,
    directory: Directory,
    figures: Mapping[str, AccountFigures],
    now: Now,
    sending: Sending,
) -> BriefContext:
    """What the mail to this recipient is written from, in their language and zone. `figures` by delivery."""
    person = directory.csms.get(recipient.id or "")
    return BriefContext(
        directory=directory,
        phrases=sending.owners.book.phrases(person.language if person else None, zone_of(person)),
        now=now.service,
        figures=figures,
        action_url=partial(_action_url, now, sending),
        organization=sending.customers.writer.organization,
        console_url=sending.owners.console_url,
    )


def _action_url(now: Now, sending: Sending, touchpoint_id: str, person_id: str | None) -> str:
    return sending.owners.action_url(touchpoint_id, person_id, now.real)


def kind_of(claim: MessageClaim, directory: Directory) -> MailKind:
    """What a mail is about, by one of its claims."""
    event, recipient = claim.event, claim.delivery.recipient
    if event.news is News.REASSIGNED:
        return "hands"
    if event.news is News.REMINDER:
        return "reminder"
    if event.news is News.AT_RISK:
        return "at_risk"
    if claim.planned_at is None:
        return "now"
    return "unowned" if is_stranger(event, recipient, directory.situation_of(event)) else "day"


def newest_of_each(claims: Sequence[MessageClaim]) -> list[MessageClaim]:
    """Of several claims about one touchpoint the newest."""
    in_order = sorted(claims, key=lambda claim: (claim.event.content.sequence, claim.event.time))
    return list({claim.event.content.touchpoint_id: claim for claim in in_order}.values())


def _by_account(claims: Sequence[MessageClaim], context: BriefContext) -> list[AccountBriefs]:
    """By account in the order of time; what is open comes first."""
    briefs: dict[str, list[tuple[TouchpointData, Brief]]] = {}
    data = {claim.delivery.id: touchpoint_of(claim) for claim in claims}
    in_order = sorted(claims, key=lambda claim: (data[claim.delivery.id].due_at, claim.delivery.id))
    for claim in in_order:
        one = data[claim.delivery.id]
        briefs.setdefault(one.account_id, []).append((one, write_brief(claim, context)))
    of_account = {one.account_id: one for one in data.values()}
    return [
        AccountBriefs(
            account_name(of_account[account_id], context),
            account_url(of_account[account_id], context),
            without_repetition(sorted(join_groups(own), key=lambda brief: not brief.is_open)),
        )
        for account_id, own in briefs.items()
    ]


def without_repetition(briefs: Sequence[Brief]) -> list[Brief]:
    """Of one account: people, the note and what was sent stand in the first brief that has them."""
    shown: set[object] = set()
    shorter: list[Brief] = []
    for brief in briefs:
        parts: dict[str, object] = {"people": brief.people, "note": brief.note, "sent": brief.sent}
        again = {name: type(value)() for name, value in parts.items() if value in shown}
        shown.update(parts.values())
        shorter.append(replace(brief, **again))
    return shorter


def _subject(
    kind: MailKind, claims: Sequence[MessageClaim], accounts: Sequence[AccountBriefs], context: BriefContext
) -> str:
    phrases, account = context.phrases, account_name(touchpoint_of(claims[0]), context)
    briefs = [brief for each in accounts for brief in each.briefs]
    if kind == "day":
        return phrases.plural("owner", "subject_day", len(briefs))
    if len(briefs) > 1:
        return phrases.plural("owner", f"subject_{kind}_many", len(briefs), account=account)
    return phrases.text("owner", f"subject_{kind}", type=briefs[0].title, account=account)


def _preheader(accounts: Sequence[AccountBriefs]) -> str:
    titles = [f"{brief.title}: {account.name}" for account in accounts for brief in account.briefs]
    more = len(titles) - PREVIEWED
    return " · ".join(titles[:PREVIEWED]) + (f" · +{more}" if more > 0 else "")


def _words(phrases: Phrases) -> dict[str, object]:
    labels = (
        "whom", "purpose", "why", "agenda", "preparation", "expects", "sent", "open_account",
    )  # fmt: skip
    return {
        "language": phrases.language,
        "direction": phrases.direction,
        "words": {label: phrases.text("owner", label) for label in labels},
    }
