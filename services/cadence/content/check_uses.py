"""Check placeholders: known, for this reader, of the right kind for their place, with the plurals of the language."""

from collections.abc import Iterator
from itertools import chain

from services.cadence.content.format import categories, integer_categories
from services.cadence.content.mistakes import Mistake
from services.cadence.content.parse import ContentFile
from services.cadence.content.placeholders import BLOCK_KINDS, PLACEHOLDERS, Placeholder
from services.cadence.content.template import CATEGORIES, Template, Use
from services.cadence.expressions.checker import did_you_mean


def find_placeholder(content: ContentFile, name: str) -> tuple[Placeholder | None, str]:
    """The placeholder of a name that this reader may have, else what is wrong."""
    placeholder = PLACEHOLDERS.get(name)
    if placeholder is None:
        known = [other.name for other in PLACEHOLDERS.values() if content.reader in other.readers]
        return None, f"unknown placeholder {name!r}{did_you_mean(name, known)}"
    if content.reader not in placeholder.readers:
        return None, f"{name!r} is for owners only; a customer never reads it"
    return placeholder, ""


def check_use(content: ContentFile, use: Use, *, is_alone: bool = False) -> Iterator[Mistake]:
    """Mistakes of a placeholder in a sentence, or alone in its paragraph."""
    placeholder, problem = find_placeholder(content, use.name)
    problems = [problem] if placeholder is None else _misplaced(placeholder, use, is_alone=is_alone)
    if placeholder is not None and use.plurals:
        problems = chain(problems, _wrong_plurals(content, placeholder, use))
    yield from (Mistake(content.file, use.line, use.column, each) for each in problems)


def _misplaced(placeholder: Placeholder, use: Use, *, is_alone: bool) -> Iterator[str]:
    if placeholder.kind not in BLOCK_KINDS:
        return
    if not is_alone:
        yield f"{use.name!r} is a block ({placeholder.kind}): write it alone in a paragraph of the body"
    if use.otherwise is not None or use.plurals:
        yield f"{use.name!r} is a block ({placeholder.kind}) and takes no options; without a value it is left out"


def _wrong_plurals(content: ContentFile, placeholder: Placeholder, use: Use) -> Iterator[str]:
    if placeholder.kind != "number":
        yield f"{use.name!r} is no number ({placeholder.kind}), so it has no plural"
        return
    own = categories(content.language)
    unknown = [category for category in use.plurals if category not in own]
    missing = sorted(integer_categories(content.language) - use.plurals.keys(), key=CATEGORIES.index)
    if unknown:
        listed = ", ".join(sorted(own, key=CATEGORIES.index))
        yield f"the language {content.language!r} has no plural {', '.join(unknown)!r}; it has: {listed}"
    if missing:
        yield f"plural forms of the language {content.language!r} are missing: {', '.join(missing)}"


def check_needs(content: ContentFile) -> Iterator[Mistake]:
    """`needs` names placeholders of this reader."""
    for name, place in zip(content.needs, content.needs_places, strict=True):
        placeholder, problem = find_placeholder(content, name)
        if placeholder is None:
            yield Mistake(content.file, *place, f"'needs': {problem}")


def check_line(content: ContentFile, key: str, template: Template) -> Iterator[Mistake]:
    """A subject always stands; links and blocks have no place in a line."""
    for use in template.uses:
        yield from check_use(content, use)
        placeholder, _ = find_placeholder(content, use.name)
        if placeholder is not None and placeholder.kind == "link":
            yield Mistake(content.file, use.line, use.column, f"{use.name!r} is a link; {key} is text alone")
        if (
            key == "subject"
            and placeholder is not None
            and use.otherwise is None
            and use.name not in content.needs
        ):
            what = f"the subject always stands: give {use.name!r} a text with `| otherwise: ...`, or name it in `needs`"
            yield Mistake(content.file, use.line, use.column, what)
