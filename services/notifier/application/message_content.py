"""The content file of a message: by reader and language, and what it reads."""

from collections.abc import Mapping
from functools import lru_cache

from schemas.vocabulary import Reader
from services.cadence.content.mistakes import ContentRefused
from services.cadence.content.names import ContentName, fallback_languages
from services.cadence.content.parse import ContentFile, parse_content


def find_content(
    contents: Mapping[str, str], touchpoint_type: str, reader: Reader, language: str | None
) -> ContentFile | None:
    """The content in the closest language there is; None: nothing is written for this reader.

    A file that cannot be read, which the rules engine would not publish, counts as absent.
    """
    for tag in fallback_languages(language):
        key = ContentName(tag, touchpoint_type, reader).key
        text = contents.get(key)
        content = _parse(key, text) if text is not None else None
        if content is not None:
            return content
    return None


@lru_cache(maxsize=1000)
def _parse(key: str, text: str) -> ContentFile | None:
    try:
        return parse_content(text, file=key)
    except ContentRefused:
        return None


def names_read(content: ContentFile) -> frozenset[str]:
    """The placeholders whose values the content needs."""
    uses = (*content.subject.uses, *content.preheader.uses, *content.uses)
    return frozenset({*content.needs, *(use.name for use in uses)})
