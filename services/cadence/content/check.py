"""Check content files: all mistakes of all files at once, each with its place."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from babel import Locale, UnknownLocaleError

from schemas.vocabulary import Reader
from services.cadence.content.check_body import check_body
from services.cadence.content.check_uses import check_line, check_needs
from services.cadence.content.mistakes import Mistake
from services.cadence.content.names import DEFAULT_LANGUAGE, ContentName, name_of
from services.cadence.content.parse import ContentFile, read_content_file
from services.cadence.expressions.checker import did_you_mean

NOTICES = ("cadence_changed", "cadence_told", "invitation", "reminder")
"""Messages about no type of touchpoint: how often we are in touch and when that changes, invitations and reminders."""
NAMED_LIKE = "content files are named content/<language>/<touchpoint_type>.md, for the owner content/<language>/owner/..."


def check_content(
    files: Mapping[str, str],
    types: Collection[str],
    to_customers: Mapping[str, tuple[str, int]],
    also: Collection[ContentName] = (),
) -> list[Mistake]:
    """Check files (path -> text) of a policy whose touchpoint types are `types`.

    `to_customers`: type -> file and line that makes it go to customers. `also`: content that stands behind these files.
    """
    mistakes = [mistake for file, text in files.items() for mistake in check_file(file, text, types)]
    names = {name for file in files if (name := name_of(file))}
    mistakes.extend(_without_default(files, {*names, *also}))
    mistakes.extend(_without_content({*names, *also}, to_customers))
    return sorted(set(mistakes))


def check_file(file: str, text: str, types: Collection[str] | None = None) -> list[Mistake]:
    """The mistakes of one file. `types`: those that the policy knows; None: any."""
    mistakes: list[Mistake] = []
    name = name_of(file)
    if name is None:
        return [Mistake(file, 1, 1, NAMED_LIKE)]
    mistakes.extend(Mistake(file, 1, 1, text) for text in _wrong_names(name, types))
    content = read_content_file(text, file, mistakes)
    if content is None or mistakes:
        return mistakes if content is None else [*mistakes, *_check_use_of_values(content)]
    return _check_use_of_values(content)


def _check_use_of_values(content: ContentFile) -> list[Mistake]:
    # A language that nobody knows is one mistake, not one for each plural.
    known = content if _is_language(content.language) else replace(content, language=DEFAULT_LANGUAGE)
    return [
        *check_needs(known),
        *check_line(known, "subject", known.subject),
        *check_line(known, "preheader", known.preheader),
        *check_body(known),
    ]


def _wrong_names(name: ContentName, types: Collection[str] | None) -> Iterator[str]:
    if not _is_language(name.language):
        yield f"{name.language!r} is not a language tag; name the folder after one, such as en, de or pt-BR"
    known = None if types is None else {*types, *(NOTICES if name.reader == "customer" else ())}
    if known is not None and name.touchpoint_type not in known:
        hint = (
            did_you_mean(name.touchpoint_type, known) or "; the file is named after a type of the catalogue"
        )
        yield f"the policy has no touchpoint type {name.touchpoint_type!r}{hint}"


def _is_language(tag: str) -> bool:
    try:
        return str(Locale.parse(tag, sep="-")).replace("_", "-") == tag
    except (ValueError, UnknownLocaleError):
        return False


def _without_default(files: Mapping[str, str], names: Collection[ContentName]) -> Iterator[Mistake]:
    """A reader of any other language gets that of the default language."""
    for file in files:
        name = name_of(file)
        if name is None or name.language == DEFAULT_LANGUAGE:
            continue
        fallback = ContentName(DEFAULT_LANGUAGE, name.touchpoint_type, name.reader)
        if fallback not in names:
            yield Mistake(file, 1, 1, f"{fallback.path} is missing: readers of all other languages get that")


def _without_content(
    names: Collection[ContentName], to_customers: Mapping[str, tuple[str, int]]
) -> Iterator[Mistake]:
    reader: Reader = "customer"
    for touchpoint_type, (file, line) in to_customers.items():
        name = ContentName(DEFAULT_LANGUAGE, touchpoint_type, reader)
        if name not in names:
            why = f"{touchpoint_type!r} goes to customers and has no content for them"
            yield Mistake(file, line, 1, f"{why}: write {name.path} beside the policy files")
