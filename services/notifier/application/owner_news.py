"""What happened to a touchpoint, in sentences for one person of ours."""

from typing import Final

from schemas.touchpoints import TouchpointData
from services.notifier.application.brief_context import BriefContext, account_name, name_of, touchpoint_of
from services.notifier.application.note_text import translate_note
from services.notifier.application.phrases import Phrases
from services.notifier.application.ports import MessageClaim
from services.notifier.domain.event import News
from services.notifier.domain.hand_off import find_hand_off_audience
from services.notifier.domain.owner_policy import is_handed_over, is_owned_by_person, is_stranger
from services.notifier.domain.situation import Situation

OPEN: Final = frozenset({News.DUE, News.OVERDUE, News.REASSIGNED, News.REMINDER, News.AT_RISK})


def is_open_for(claim: MessageClaim) -> bool:
    """Whether the recipient has something to do about it."""
    event = claim.event
    if event.content.touchpoint_id is not None and touchpoint_of(claim).status == "cancelled":
        return False
    was_theirs = claim.delivery.recipient.id == event.previous_csm_id
    return event.news in OPEN and not (event.news is News.REASSIGNED and was_theirs)


def news_of(
    claim: MessageClaim, data: TouchpointData, situation: Situation, context: BriefContext
) -> list[str]:
    """What happened to it, in sentences."""
    event, phrases = claim.event, context.phrases
    match event.news:
        case News.CANCELLED:
            return [_because(phrases, "cancelled", data.note)]
        case News.MOVED:
            before = phrases.moment(data.previous_due_at or data.due_at)
            note = None if data.changed_by == "person" else data.note  # "moved by hand" is no reason
            return [_because(phrases, "moved", note, before=before, after=phrases.moment(data.due_at))]
        case News.REASSIGNED:
            return [_change_of_owner(claim, data, context)]
        case News.OVERDUE:
            moment = phrases.moment(data.deadline or data.due_at)
            return [phrases.text("owner", "overdue", moment=moment), *_whose(claim, data, situation, context)]
        case News.REMINDER:
            return [phrases.text("owner", "reminder"), *_whose(claim, data, situation, context)]
        case News.AT_RISK:
            return _danger(claim, data, situation, context)
        case News.DUE:
            return _whose(claim, data, situation, context)


def _because(phrases: Phrases, key: str, note: str | None, **values: str) -> str:
    if note:
        return phrases.text("owner", f"{key}_because", note=translate_note(note, phrases), **values)
    return phrases.text("owner", key, **values)


def _danger(
    claim: MessageClaim, data: TouchpointData, situation: Situation, context: BriefContext
) -> list[str]:
    """By when it is promised, and what endangers that."""
    phrases, risk = context.phrases, data.risk
    if risk is None:
        return _whose(claim, data, situation, context)
    note = translate_note(risk.detail, phrases)
    line = phrases.text("owner", "at_risk", moment=phrases.moment(risk.deadline), note=note)
    return [line] if risk.cause == "no_owner" else [line, *_whose(claim, data, situation, context)]


def _change_of_owner(claim: MessageClaim, data: TouchpointData, context: BriefContext) -> str:
    phrases, before = context.phrases, data.previous_owner
    if not is_open_for(claim):
        new = name_of(data.owner.csm_id, data.owner.name, context)
        return phrases.text("owner", "given", name=new) if new else phrases.text("owner", "given_to_nobody")
    if claim.delivery.recipient.id != data.owner.csm_id:
        return phrases.text("owner", "unowned")
    old = name_of(before.csm_id, before.name, context) if before else ""
    return phrases.text("owner", "yours_from", name=old) if old else phrases.text("owner", "yours")


def _whose(
    claim: MessageClaim, data: TouchpointData, situation: Situation, context: BriefContext
) -> list[str]:
    """Why it is told to somebody who does not own it."""
    event, phrases, platform = claim.event, context.phrases, situation.handling.hand_off
    if platform is not None and event.is_handed_off(platform):
        audience = find_hand_off_audience(event, situation, context.now)
        if audience.opens_at:
            return [phrases.text("owner", "no_platform", name=platform)]
    if is_handed_over(event, situation):
        return [phrases.text("owner", "by_hand", channel=phrases.channel(data.channel))]
    if not is_owned_by_person(event):
        account = account_name(data, context)
        return [phrases.text("owner", "unreachable", account=account)]
    if not is_stranger(event, claim.delivery.recipient, situation):
        return []
    name = name_of(data.owner.csm_id, data.owner.name, context)
    return [phrases.text("owner", "of_person", name=name) if name else phrases.text("owner", "unowned")]
