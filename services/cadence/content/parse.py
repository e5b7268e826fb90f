"""Read a content file: front matter, templates and the tree of its body."""

from dataclasses import dataclass, field

from markdown_it.tree import SyntaxTreeNode

from schemas.vocabulary import ProgramKind, Reader
from services.cadence.content.front_matter import FrontMatter, read_front_matter
from services.cadence.content.markdown import parse_markdown
from services.cadence.content.mistakes import ContentRefused, Mistake
from services.cadence.content.names import name_of
from services.cadence.content.template import Template, Use, parse_template


@dataclass(frozen=True, slots=True)
class ContentFile:
    """A content file. `language` is empty for a file whose name is not that of content.

    `needs_places`: line and column of each of `needs`. `tree`: the body, in which `uses` stand for the marks of
    placeholders.
    """

    file: str
    language: str
    touchpoint_type: str
    reader: Reader
    subject: Template
    preheader: Template
    program: ProgramKind | None
    needs: tuple[str, ...]
    needs_places: tuple[tuple[int, int], ...]
    agenda: tuple[str, ...]
    preparation: tuple[str, ...]
    expects: str
    tree: SyntaxTreeNode = field(repr=False)
    uses: tuple[Use, ...]
    body_line: int


def parse_content(text: str, *, file: str) -> ContentFile:
    """Read a content file. `file`: its path or the key of its record. Raises ContentRefused with every mistake."""
    mistakes: list[Mistake] = []
    content = read_content_file(text, file, mistakes)
    if content is None or mistakes:
        raise ContentRefused(mistakes)
    return content


def read_content_file(text: str, file: str, mistakes: list[Mistake]) -> ContentFile | None:
    """The file as far as it can be read, None when it has no front matter; mistakes of its form are added."""
    name = name_of(file)
    reader: Reader = name.reader if name else "customer"
    front = read_front_matter(text, file, reader, mistakes)
    if front is None:
        return None
    body = parse_template(front.body, mistakes, file, (front.body_line, 1))
    return ContentFile(
        file=file,
        language=name.language if name else "",
        touchpoint_type=name.touchpoint_type if name else "",
        reader=reader,
        subject=_template(front, "subject", file, mistakes),
        preheader=_template(front, "preheader", file, mistakes),
        program=_program(front, file, mistakes),
        needs=_texts(front, "needs"),
        needs_places=tuple(entry.place for entry in front.lists.get("needs", ())),
        agenda=_texts(front, "agenda"),
        preparation=_texts(front, "preparation"),
        expects=front.texts["expects"].text if "expects" in front.texts else "",
        tree=parse_markdown(body.text, html=True),
        uses=body.uses,
        body_line=front.body_line,
    )


def _template(front: FrontMatter, key: str, file: str, mistakes: list[Mistake]) -> Template:
    entry = front.texts.get(key)
    if entry is not None:
        return parse_template(entry.text, mistakes, file, entry.place)
    if key == "subject":
        mistakes.append(Mistake(file, 1, 1, "'subject' is missing in the front matter"))
    return Template("")


def _texts(front: FrontMatter, key: str) -> tuple[str, ...]:
    return tuple(entry.text for entry in front.lists.get(key, ()))


def _program(front: FrontMatter, file: str, mistakes: list[Mistake]) -> ProgramKind | None:
    entry = front.texts.get("program")
    match entry.text if entry else None:
        case "release" | "webinar" | "newsletter" | "event" | "tips" as kind:
            return kind
        case None:
            return None
        case other:
            line, column = entry.place if entry else (1, 1)
            kinds = "release, webinar, newsletter, event, tips"
            mistakes.append(Mistake(file, line, column, f"program {other!r} is not one of these: {kinds}"))
            return None
