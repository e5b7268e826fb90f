"""Write a message: the content of a file with the values of one account, for a reader of one language and zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from services.cadence.content.blocks import write_blocks
from services.cadence.content.format import Formatter, is_known, locale_of
from services.cadence.content.fragment import joined
from services.cadence.content.inline import Context, UnknownValue, write_template
from services.cadence.content.parse import ContentFile
from services.cadence.content.template import Template, Use
from services.cadence.content.values import Value


@dataclass(frozen=True, slots=True)
class Rendered:
    """`html` and `text` are the body without a layout around it.

    `missing`: names of unknown values that left something out, those of `needs` too. `is_empty`: nothing is to be sent:
    a `needs` or a value of the subject is unknown, or nothing is left of the body.
    """

    subject: str
    preheader: str
    html: str
    text: str
    missing: tuple[str, ...]
    is_empty: bool


def render_content(
    content: ContentFile, values: Mapping[str, Value | None], *, language: str, zone: tzinfo
) -> Rendered:
    """Write a message. `language`: the reader's; numbers and dates are written as the content's own language does.

    A language that the content is not in (content fell back from French to English) gives way to the content's.
    """
    own = content.language or language
    closest = language if language.partition("-")[0].lower() == own.partition("-")[0].lower() else own
    formatter = Formatter(locale_of(closest), zone)
    missing = {name: None for name in content.needs if not is_known(values.get(name))}
    needed = bool(missing)
    subject = _line(content.subject, content.subject.uses, formatter, values, missing)
    preheader = _line(content.preheader, content.preheader.uses, formatter, values, missing)
    body = joined(
        write_blocks(content.tree.children, Context(formatter, values, content.uses, missing)), "\n", "\n\n"
    )
    is_empty = needed or not subject or not body.text.strip()
    return Rendered(subject, preheader, body.html, body.text, tuple(missing), is_empty)


def _line(
    template: Template,
    uses: tuple[Use, ...],
    formatter: Formatter,
    values: Mapping[str, Value | None],
    missing: dict[str, None],
) -> str:
    """Empty when a value is unknown."""
    try:
        return write_template(template, Context(formatter, values, uses, missing))
    except UnknownValue:
        return ""
