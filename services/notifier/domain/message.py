"""The text of a message: a template and its context become a subject, a text body and an HTML body.

The template engine is an argument. A header field refuses line breaks, so that no account name can add a header.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.notifier.domain.event import Event, readable_name

Context = Mapping[str, object]

INTERNAL = frozenset({"risk_action_plan", "escalation", "renewal_escalation"})
TOPIC_NAMES: Mapping[str, str] = {
    "account": "account updates",
    "education": "educational messages",
    "product_updates": "product updates",
    "training": "training invitations",
    "promotion": "promotions",
    "events": "event invitations",
    "surveys": "surveys",
}
"""What a person gets when they are opted in to a topic."""

MAX_HEADER = 200


class HeaderInjection(Exception):
    """A value for a header holds a line break or a control character."""


class Render(Protocol):
    """Fills a template; with `html` the values are escaped."""

    def __call__(self, template: str, context: Context, *, html: bool) -> str: ...


@dataclass(frozen=True, slots=True)
class Message:
    subject: str
    text: str
    html: str


def header(value: str) -> str:
    """The value if it may stand in a header. Raises HeaderInjection."""
    if any(not character.isprintable() for character in value):
        raise HeaderInjection(f"a mail header must be one printable line, not {value!r}; correct its source")
    return value


def one_line(value: str, most: int = MAX_HEADER) -> str:
    """Free text as one printable line of at most `most` characters."""
    printable = "".join(character if character.isprintable() else " " for character in value)
    line = " ".join(printable.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def csm_template(touchpoint_type: str) -> str:
    """The name of the template for a CSM's mail about this type."""
    return "csm_alert" if touchpoint_type in INTERNAL else "csm_task"


def topic_name(topic: str) -> str:
    return TOPIC_NAMES.get(topic) or readable_name(topic)


def sentence_case(words: str) -> str:
    return words[:1].upper() + words[1:]


def readable_day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%A}, {moment.day} {moment:%B} {moment.year}"


def make_context(event: Event, *, account: str, recipient: str) -> Context:
    """Every value that a template may use; an unknown one is empty. `account` and `recipient` are names."""
    content = event.content
    kind = readable_name(content.touchpoint_type)
    return {
        "account": account,
        "name": recipient,
        "kind": kind,
        "title": sentence_case(kind),
        "purpose": content.purpose,
        "reason": content.reason.text if content.reason else "",
        "channel": readable_name(content.channel),
        "due": readable_day(content.due_at),
        "deadline": readable_day(content.deadline),
    }


def compose_message(template: str, context: Context, render: Render) -> Message:
    """Render the three files of a template. The subject becomes one printable line."""
    subject = one_line(render(f"{template}.subject.txt", context, html=False))
    return Message(
        subject=header(subject),
        text=render(f"{template}.txt", context, html=False),
        html=render(f"{template}.html", context, html=True),
    )
