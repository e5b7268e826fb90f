"""The values of placeholders, from what is known of the account, its people and the thing the message is about.

An unknown value is None, never 0 or an empty text: the block that needs it is left out. A date is that of the contract or
program that the event names (`about`), never that of another one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from schemas.directory import ContactRecord, CsmRecord
from schemas.figures import AccountFigures, ContractFigures, ProgramFigures, UsageFigures
from schemas.plans import About
from schemas.touchpoints import TouchpointData
from services.cadence.content.names import fallback_languages
from services.cadence.content.placeholders import PLACEHOLDERS
from services.cadence.content.values import Chart, Items, Markdown, Share, Value
from services.notifier.application.cadence_lines import cadence_values
from services.notifier.application.message_content import find_content
from services.notifier.application.message_facts import ComingTouchpoint, MessageFacts
from services.notifier.application.phrases import Phrases
from services.notifier.domain.event import Event, readable_name
from services.notifier.domain.message import sentence_case
from services.notifier.domain.people import Account
from services.notifier.domain.person_names import first_name

Values = Mapping[str, Value | None]

NO_INVITATION: Final[Values] = dict.fromkeys(name for name in PLACEHOLDERS if name.startswith("invitation."))
MOST_LINES: Final = 5
NO_FACTS: Final = MessageFacts()
_ACRONYMS: Final = frozenset({"ai", "api", "crm", "csv", "pdf", "sdk", "sms", "sql", "sso", "ui", "url"})
"""Words of the names under which a product reports its features and limits."""
_APPOINTMENTS: Final = frozenset({"call", "meeting"})
_APPOINTED: Final = frozenset({"webinar", "training_session"})
_HAPPENINGS: Final = frozenset({"webinar", "event"})


@dataclass(frozen=True, slots=True)
class Links:
    """Where the reader finds the page with what they get, and where they end this topic; empty: nowhere."""

    page: str = ""
    unsubscribe: str = ""


@dataclass(frozen=True, slots=True)
class MessageContext:
    """What a message is written from. `csm`: who leads the account; `now`: service time; `contents`: of its type."""

    event: Event
    now: datetime
    phrases: Phrases
    organization: str
    account: Account | None = None
    contact: ContactRecord | None = None
    csm: CsmRecord | None = None
    facts: MessageFacts = NO_FACTS
    links: Links = Links()
    contents: Mapping[str, str] | None = None
    more: Values = field(default_factory=lambda: NO_INVITATION)  # those of invitations

    @property
    def about(self) -> About | None:
        content = self.event.content
        return content.about if isinstance(content, TouchpointData) else None

    @property
    def today(self) -> date:
        return self.now.astimezone(self.phrases.zone).date()


def customer_values(context: MessageContext) -> Values:
    """The values of every placeholder that a customer may read."""
    figures = context.facts.figures
    return {
        **_people(context),
        **_touchpoint(context),
        **_contract(context, figures.contract if figures else None),
        **_program(context, figures.program if figures else None),
        **usage_values(figures.usage if figures else None, context.phrases),
        **_history(figures, context.phrases),
        **_coming(context),
        **context.more,
        "links.page": context.links.page or None,
        "links.unsubscribe": context.links.unsubscribe or None,
    }


def _people(context: MessageContext) -> Values:
    account, contact, csm = context.account, context.contact, context.csm
    return {
        "account.name": account.name if account else None,
        "contact.name": contact.name if contact else None,
        "contact.first_name": first_name(contact.name) if contact else None,
        "csm.name": csm.name if csm else None,
        "csm.first_name": first_name(csm.name) if csm else None,
        "csm.phone": csm.phone if csm else None,
        "csm.email": csm.email if csm else None,
        "csm.booking_url": csm.booking_url if csm else None,
        "organization.name": context.organization,
    }


def _touchpoint(context: MessageContext) -> Values:
    content, phrases = context.event.content, context.phrases
    return {
        "touchpoint.name": phrases.touchpoint_type(content.touchpoint_type),
        "touchpoint.due_at": content.due_at,
        "touchpoint.deadline": content.deadline,
        "agenda.list": _items(agenda_of(context)),
        **cadence_values(content, phrases),
    }


def agenda_of(context: MessageContext) -> Sequence[str]:
    """What is discussed, in the reader's language: from the content for the owner, in English as the policy lists it."""
    content = context.event.content
    language = context.phrases.language
    own = content.agenda if isinstance(content, TouchpointData) and language == "en" else ()
    if own or context.contents is None:
        return own
    written = find_content(context.contents, content.touchpoint_type, "owner", language)
    return written.agenda if written is not None and written.language.startswith(language) else ()


def _contract(context: MessageContext, contract: ContractFigures | None) -> Values:
    """The dates of the term that the event names; without one, of the running term that ends first."""
    about = context.about
    if about is not None and about.contract_id is not None:
        if contract is not None and contract.contract_id != about.contract_id:
            contract = None
        is_same_term = contract is not None and about.renews_on in (None, contract.renews_on)
        ends_on = about.renews_on or (contract.renews_on if contract else None)
        notice_on = about.notice_on or (contract.notice_on if contract and is_same_term else None)
        starts_on = contract.starts_on if contract and is_same_term else None
    else:
        is_known = contract is not None and not contract.is_assumed
        ends_on = contract.renews_on if contract and is_known else None
        notice_on = contract.notice_on if contract and is_known else None
        starts_on = contract.starts_on if contract and is_known else None
    days_left = (ends_on - context.today).days if ends_on is not None else None
    due_on = _day(context.event.content.due_at or context.now, context.phrases)
    day = (due_on - starts_on).days + 1 if starts_on is not None else None
    return {
        "contract.renews_on": ends_on,
        "contract.ends_on": ends_on,
        "contract.notice_on": notice_on if notice_on is None or notice_on >= context.today else None,
        "contract.starts_on": starts_on,
        "contract.day": day if day is not None and day >= 1 else None,
        "contract.days_left": days_left if days_left is not None and days_left >= 0 else None,
    }


def program_of(context: MessageContext) -> ProgramFigures | None:
    """The program that the message presents: the one that the event names, and not one that is over."""
    figures, about = context.facts.figures, context.about
    program = figures.program if figures else None
    if program is None or (about and about.program_id and about.program_id != program.program_id):
        return None
    end = program.ends_at or program.at
    is_over = program.kind in _HAPPENINGS and end is not None and end <= context.now
    return None if is_over else program


def _program(context: MessageContext, program: ProgramFigures | None) -> Values:
    if program is None or program_of(context) is None:
        return {}
    bodies = {language.lower(): text for language, text in program.body.items()}
    tags = fallback_languages(context.phrases.language)
    body = next((bodies[tag.lower()] for tag in tags if bodies.get(tag.lower())), None)
    return {
        "program.title": program.title,
        "program.at": program.at,
        "program.ends_at": program.ends_at,
        "program.url": program.url,
        "program.body": Markdown(body) if body else None,
    }


def usage_values(usage: UsageFigures | None, phrases: Phrases) -> Values:
    """The figures of the last 30 days against the 30 before."""
    if usage is None:
        return {}
    return {
        "usage.begins_on": usage.begins_on,
        "usage.ends_on": usage.ends_on,
        "usage.active_users": usage.active_users,
        "usage.active_users_change": _change(usage.active_users, usage.active_users_before),
        "usage.seats": usage.seats,
        "usage.seats_used": usage.seats_used,
        "usage.seats_used_change": _change(usage.seats_used, usage.seats_used_before),
        "usage.seats_share": Share(usage.seats_used / usage.seats)
        if usage.seats and usage.seats_used is not None
        else None,
        "usage.events": usage.events,
        "usage.events_change": _change(usage.events, usage.events_before),
        "usage.features": _items(_feature_lines(usage, phrases)),
        "usage.limits": _items(_limit_lines(usage, phrases)),
        "usage.chart": _chart(usage, phrases),
    }


def _change(now: float | None, before: float | None) -> Share | None:
    """The change as a ratio of what was before; unknown when nothing was."""
    return Share(now / before - 1, signed=True) if now is not None and before else None


def _feature_lines(usage: UsageFigures, phrases: Phrases) -> Iterable[str]:
    for feature in usage.features[:MOST_LINES]:
        if feature.count:
            name = _name_of_use(feature.name)
            yield phrases.plural("lines", "feature", feature.count, name=name)


def _name_of_use(name: str) -> str:
    """The name of a feature or a limit for people: `api_calls` -> `API calls`."""
    words = readable_name(name).split()
    return sentence_case(" ".join(word.upper() if word in _ACRONYMS else word for word in words))


def _limit_lines(usage: UsageFigures, phrases: Phrases) -> Iterable[str]:
    number = phrases.formatter.number
    for limit in usage.limits[:MOST_LINES]:
        name, used = _name_of_use(limit.name), number(limit.used)
        if limit.limit is None:
            yield phrases.text("lines", "unlimited", name=name, used=used)
        else:
            yield phrases.text("lines", "limit", name=name, used=used, limit=number(limit.limit))


def _chart(usage: UsageFigures, phrases: Phrases) -> Chart | None:
    """Active users by week; None with fewer than two weeks that are known."""
    day = phrases.formatter.day_of_year
    bars = [(day(week.begins_on), week.active_users) for week in usage.weeks]
    while bars and bars[0][1] is None:
        bars = bars[1:]
    return Chart(bars) if sum(number is not None for _, number in bars) >= 2 else None


def _history(figures: AccountFigures | None, phrases: Phrases) -> Values:
    if figures is None:
        return {}
    milestones = [(sentence_case(readable_name(one.milestone)), one.reached_at) for one in figures.milestones]
    return {
        "milestones.recent": _items(
            phrases.text("lines", "milestone", name=name, date=phrases.date(_day(at, phrases)))
            for name, at in milestones[:MOST_LINES]
        ),
        "milestones.latest": milestones[0][0] if milestones else None,
        "requests.open": _items(_request_lines(figures, phrases)),
        "requests.count": len(figures.requests) or None,
        "conversation.on": _day(figures.conversation.at, phrases) if figures.conversation else None,
    }


def _request_lines(figures: AccountFigures, phrases: Phrases) -> Iterable[str]:
    for request in figures.requests[:MOST_LINES]:
        since = phrases.date(_day(request.received_at, phrases))
        if request.channel is None:
            line = phrases.text("lines", "request_without_channel", date=since)
        else:
            line = phrases.text("lines", "request", channel=phrases.channel(request.channel), date=since)
        yield sentence_case(line)


def _coming(context: MessageContext) -> Values:
    lines = coming_lines(context.facts.coming or (), context.phrases, context.now)
    return {"coming.list": _items(lines), "coming.next": lines[0] if lines else None}


def coming_lines(coming: Sequence[ComingTouchpoint], phrases: Phrases, now: datetime) -> list[str]:
    """The next appointments with the customer, each with its time; internal work and mail are none."""
    return [
        phrases.text(
            "lines",
            "coming",
            name=phrases.touchpoint_type(one.touchpoint_type),
            moment=phrases.moment(one.due_at),
        )
        for one in coming
        if one.is_with_customer
        and one.due_at > now
        and (one.channel in _APPOINTMENTS or one.touchpoint_type in _APPOINTED)
    ][:MOST_LINES]


def _day(moment: datetime, phrases: Phrases) -> date:
    return moment.astimezone(phrases.zone).date()


def _items(lines: Iterable[str]) -> Items | None:
    return Items(known) if (known := tuple(line for line in lines if line.strip())) else None
