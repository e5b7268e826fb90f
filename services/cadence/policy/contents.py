"""The content of a policy: its own files, and the shipped ones for what it does not bring."""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from services.cadence.content.check import NOTICES
from services.cadence.content.names import ContentName
from services.cadence.policy.model import Location, PolicyContent

ContentOrigin = Literal["policy", "shipped"]
_TO_CUSTOMERS = frozenset({"automation", "marketing"})
_WRITTEN = frozenset({"email", "in_app"})


class ContentText(NamedTuple):
    """A content file in force: the whole text, and whether the policy brings it."""

    name: ContentName
    text: str
    origin: ContentOrigin


def normalize_content(text: str) -> str:
    """The text with line feeds, without a byte order mark and without blank lines at its end."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").rstrip() + "\n"


def contents_in_force(
    content: PolicyContent, shipped: Mapping[ContentName, str]
) -> Mapping[ContentName, ContentText]:
    """What is in force for the types of a policy and for notices, in order of name.

    A file of the policy replaces the shipped one of the same language, reader and type.
    """
    types = {*(touchpoint.type for touchpoint in content.touchpoints), *NOTICES}
    found: dict[ContentName, ContentText] = {}
    origins: tuple[tuple[ContentOrigin, Mapping[ContentName, str]], ...] = (
        ("shipped", shipped),
        ("policy", content.texts),
    )
    for origin, texts in origins:
        own = {name: text for name, text in texts.items() if name.touchpoint_type in types}
        found |= {name: ContentText(name, text, origin) for name, text in own.items()}
    return dict(sorted(found.items()))


def types_to_customers(content: PolicyContent) -> Mapping[str, Location]:
    """The types that Drumbeat writes to customers, each with the first place that makes it so.

    Owner automation or marketing and channel email or in_app, by the catalogue or by a rule.
    """
    found: dict[str, Location] = {}
    for touchpoint_type, owner, channel, place in _leads(content):
        if owner in _TO_CUSTOMERS and channel in _WRITTEN:
            found.setdefault(touchpoint_type, place)
    return found


def _leads(content: PolicyContent) -> Iterator[tuple[str, str, str, Location]]:
    catalogue = {
        touchpoint.type: touchpoint for touchpoint in content.touchpoints if touchpoint.topic is not None
    }
    for kind in catalogue.values():
        yield kind.type, kind.owner, kind.channel, kind.place
    for rule in (*content.rhythms, *content.triggers, *content.steps):
        kind = catalogue.get(rule.touchpoint)
        if kind is not None:
            yield kind.type, rule.owner or kind.owner, rule.channel or kind.channel, rule.place
