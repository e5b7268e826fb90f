"""The registry of placeholders: what content may name, what kind of value it is and who may read it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from schemas.vocabulary import Reader

Kind = Literal[
    "text", "number", "date", "date and time", "share", "money", "link", "list", "Markdown", "chart"
]
BLOCK_KINDS: Final[frozenset[Kind]] = frozenset({"list", "Markdown", "chart"})
"""Values that stand alone in their paragraph."""
BOTH: Final[tuple[Reader, ...]] = ("customer", "owner")
OWNER: Final[tuple[Reader, ...]] = ("owner",)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A name that content may use. `example`: a value as it is shown in English."""

    name: str
    kind: Kind
    meaning: str
    example: str
    readers: tuple[Reader, ...] = BOTH


def _of_both(kind: Kind, rows: Mapping[str, tuple[str, str]]) -> Iterable[Placeholder]:
    return (Placeholder(name, kind, meaning, example) for name, (meaning, example) in rows.items())


def _of_owner(kind: Kind, rows: Mapping[str, tuple[str, str]]) -> Iterable[Placeholder]:
    return (Placeholder(name, kind, meaning, example, OWNER) for name, (meaning, example) in rows.items())


_TEXTS = {
    "account.name": ("The customer's company", "Lindt Logistics"),
    "contact.name": ("The person who is written to; for the owner: whom to talk to", "Ada Lovelace"),
    "contact.first_name": ("Their first name", "Ada"),
    "csm.name": ("The person who leads the account or owns the touchpoint", "Ben Okri"),
    "csm.first_name": ("Their first name", "Ben"),
    "csm.phone": ("Their telephone number", "+49 30 901820"),
    "csm.email": ("Their address", "ben@drumbeat.example"),
    "organization.name": ("Your company", "Drumbeat"),
    "program.title": ("Title of the release, webinar, newsletter, event or tip", "Reports in one click"),
    "milestones.latest": ("The milestone reached last", "All teams on board"),
    "invitation.title": (
        "What an invitation does, to what and when",
        "Invitation: Business review, 8 December 2026",
    ),
    "invitation.news": ("The same in a sentence", "Here is our invitation for your calendar."),
    "invitation.move": ("How its reader has it moved", "Answer this mail and name other times."),
    "invitation.from": ("Who sends it", "Ben Okri"),
    "touchpoint.name": ("The type of touchpoint in the reader's language", "Business review"),
}
_LINKS = {
    "csm.booking_url": ("Where a time with that person can be booked", "https://calendar.example/ben"),
    "program.url": ("Where the program can be read or joined", "https://drumbeat.example/webinar"),
    "links.page": ("The customer's own page: topics and opt-out", "https://drumbeat.example/p/..."),
    "links.unsubscribe": ("Ends mail of this topic", "https://drumbeat.example/u/..."),
}
_DATES = {
    "contract.renews_on": ("The end of the term the message is about, on which it renews", "31 March 2027"),
    "contract.ends_on": ("The same day, for a term that ends", "31 March 2027"),
    "contract.notice_on": ("The last day for notice to that term", "31 December 2026"),
    "contract.starts_on": ("The first day of that term", "1 April 2026"),
    "usage.begins_on": ("The first day of the 30 days that the figures are of", "29 October 2026"),
    "usage.ends_on": ("The last day of them", "27 November 2026"),
    "conversation.on": ("The day of the last conversation with the account", "12 November 2026"),
}
_TIMES = {
    "program.at": ("When the program begins", "Thursday, 10 December 2026 at 15:00 CET"),
    "program.ends_at": ("When it ends", "Thursday, 10 December 2026 at 16:00 CET"),
    "touchpoint.due_at": ("When the touchpoint takes place", "Monday, 30 November 2026 at 10:00 CET"),
    "touchpoint.deadline": ("Until when it has to be done", "Wednesday, 2 December 2026 at 18:00 CET"),
}
_NUMBERS = {
    "contract.day": ("Day of the term on which the touchpoint takes place, 1 on its first day", "3"),
    "contract.days_left": ("Days from today to the end of the term", "28"),
    "usage.active_users": ("Active users on average in the last 30 days", "42"),
    "usage.seats": ("Seats of the contract", "50"),
    "usage.seats_used": ("Seats in use", "42"),
    "usage.events": ("What was done in the product in the last 30 days", "12,400"),
    "requests.count": ("Requests of the customer without an answer yet", "2"),
}
_SHARES = {
    "usage.active_users_change": ("Change of active users against the 30 days before", "+12%"),
    "usage.seats_used_change": ("Change of the seats in use against the 30 days before", "+5%"),
    "usage.seats_share": ("Share of the seats that is in use", "84%"),
    "usage.events_change": ("Change of what was done against the 30 days before", "-8%"),
}
_LISTS = {
    "usage.features": ("The features used most", "Reports: 120 times"),
    "usage.limits": ("Limits of the contract and what of them is used", "Storage: 80 of 100"),
    "milestones.recent": ("Milestones of the last 90 days", "All teams on board, 3 November 2026"),
    "requests.open": ("Requests without an answer, the oldest first", "By mail, since 20 November 2026"),
    "coming.list": ("What comes next on the calendar", "Business review, 8 December 2026"),
    "invitation.people": ("Who takes part", "Ada Lovelace"),
    "agenda.list": ("What will be discussed", "Numbers against goals"),
    "cadence.list": ("How often we are in touch, of a notice about it", "Business review: every 3 months"),
}
_OWNER_TEXTS = {
    "account.segment": ("Segment of the account", "Enterprise"),
    "account.stage": ("Stage of the account", "Adoption"),
    "account.health": ("Health: colour and score", "Yellow, 55"),
    "conversation.notes": ("The note of the last conversation", "They want the export by March."),
    "conversation.by_channel": ("How that conversation took place", "By telephone"),
    "touchpoint.purpose": ("What the touchpoint is for", "Hear how it goes"),
    "touchpoint.reason": ("Why it takes place now", "Health is red."),
    "expects.text": ("The outcome it should have", "Blockers have an owner and a date"),
    "sales.name": ("The sales person of the account", "Cleo Sands"),
}
_OWNER_LISTS = {
    "contact.list": ("Whom to talk to: name, role, telephone, address", "Ada Lovelace, champion, +49 30 1"),
    "preparation.list": ("What to prepare", "Read the last three reports"),
    "customer.sent": ("What the customer got from us lately", "Value report, 3 November 2026"),
}
_ALL: tuple[Iterable[Placeholder], ...] = (
    _of_both("text", _TEXTS),
    _of_both("link", _LINKS),
    _of_both("date", _DATES),
    _of_both("date and time", _TIMES),
    _of_both("number", _NUMBERS),
    _of_both("share", _SHARES),
    _of_both("list", _LISTS),
    _of_both("text", {"coming.next": ("What comes next, with its time", "Business review, 8 December 2026")}),
    _of_both("Markdown", {"program.body": ("Text of the program in the reader's language", "Read on...")}),
    _of_both("chart", {"usage.chart": ("Active users of the last weeks as bars", "a small chart")}),
    _of_owner("text", _OWNER_TEXTS),
    _of_owner("link", {"account.url": ("The account in the console", "https://drumbeat.example/accounts/1")}),
    _of_owner("money", {"account.arr": ("Revenue a year", "€50,000")}),
    _of_owner("list", _OWNER_LISTS),
)
PLACEHOLDERS: Final[Mapping[str, Placeholder]] = {
    placeholder.name: placeholder
    for placeholder in sorted((each for group in _ALL for each in group), key=lambda each: each.name)
}
