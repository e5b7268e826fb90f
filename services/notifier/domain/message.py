"""What a person reads: a template and its context become a subject and two bodies.

Pure: the template engine is handed in. Header fields refuse line breaks, so that no account name can write
a header of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.notifier.domain.event import Announcement

Context = Mapping[str, str]

MEETINGS = frozenset({"kickoff", "go_live_review", "business_review", "executive_review", "training_session"})
REPORTS = frozenset({"value_report", "usage_report", "renewal_value_summary"})
LEARNING = frozenset({"tips", "newsletter", "nurture", "in_app_guide", "feature_spotlight", "product_update"})
INVITATIONS = frozenset({"webinar_invitation", "webinar", "event_invitation"})
INTERNAL = frozenset({"risk_action_plan", "escalation", "renewal_escalation"})
WELCOME = frozenset({"welcome", "onboarding_step"})

MAX_HEADER = 200


class HeaderInjection(Exception):
    """A value meant for a header has a line break or a control character in it."""


class Render(Protocol):
    """Fills a template; `html` says that values are to be escaped."""

    def __call__(self, template: str, context: Context, *, html: bool) -> str: ...


@dataclass(frozen=True, slots=True)
class Message:
    subject: str
    text: str
    html: str


def header(value: str) -> str:
    """The value as it may stand in a header, or `HeaderInjection`."""
    if any(not character.isprintable() for character in value):
        raise HeaderInjection(
            f"a header must be one printable line, this is {value!r}: mend the source of it"
        )
    return value


def one_line(value: str, most: int = MAX_HEADER) -> str:
    """Free text as one printable line of at most `most` characters: for subjects made of people's words."""
    line = " ".join("".join(each if each.isprintable() else " " for each in value).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def customer_family(touchpoint_type: str) -> str:
    """The template a customer's mail about this type is written from."""
    for family, members in (
        ("welcome", WELCOME),
        ("report", REPORTS),
        ("learning", LEARNING),
        ("invitation", INVITATIONS),
    ):
        if touchpoint_type in members:
            return family
    if touchpoint_type == "survey":
        return "survey"
    if touchpoint_type.startswith("cadence_"):
        return "cadence"
    return "renewal" if "renewal" in touchpoint_type else "note"


def csm_family(touchpoint_type: str) -> str:
    """The template a CSM's mail about this type is written from."""
    if touchpoint_type in INTERNAL:
        return "csm_alert"
    is_meeting = touchpoint_type in MEETINGS or touchpoint_type.endswith("_review")
    return "csm_meeting" if is_meeting else "csm_task"


def spoken(touchpoint_type: str) -> str:
    """`business_review` as people say it: `business review`."""
    return touchpoint_type.replace("_", " ")


def spoken_day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%A}, {moment.day} {moment:%B} {moment.year}"


def context_for(
    heard: Announcement, *, account_name: str, recipient_name: str | None, links: Context
) -> Context:
    """Everything a template may speak of; nothing is ever undefined."""
    kind = spoken(heard.touchpoint_type)
    return {
        "account": account_name,
        "name": recipient_name or "",
        "kind": kind,
        "title": kind[:1].upper() + kind[1:],
        "purpose": heard.purpose or "",
        "reason": heard.reason_text or "",
        "channel": heard.channel.replace("_", " "),
        "due": spoken_day(heard.due_at),
        "deadline": spoken_day(heard.deadline),
        "topic": (heard.topic or "account").replace("_", " "),
        "unsubscribe_url": "",
        **links,
    }


def compose(family: str, context: Context, render: Render) -> Message:
    """Render the family's three templates. The subject is made one printable line."""
    subject = one_line(render(f"{family}.subject.txt", context, html=False))
    return Message(
        subject=header(subject),
        text=render(f"{family}.txt", context, html=False),
        html=render(f"{family}.html", context, html=True),
    )
