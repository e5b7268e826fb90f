"""The text of a message: a subject, a text body and an HTML body.

The template engine is an argument. A header field refuses line breaks, so that no account name can add a header.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from services.notifier.domain.event import readable_name

Context = Mapping[str, object]

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
    """Free text as one printable line of at most `most` characters. Marks without a width leave no gap behind."""
    shown = (character for character in value if unicodedata.category(character) != "Cf")
    printable = "".join(character if character.isprintable() else " " for character in shown)
    line = " ".join(printable.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def topic_name(topic: str) -> str:
    return TOPIC_NAMES.get(topic) or readable_name(topic)


def sentence_case(words: str) -> str:
    return words[:1].upper() + words[1:]
