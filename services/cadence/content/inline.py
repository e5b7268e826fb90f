"""Write the inside of a paragraph: values go in where the tree has marks, so that no value becomes Markdown or HTML."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Final
from urllib.parse import quote

from markdown_it.tree import SyntaxTreeNode

from services.cadence.content.format import Formatter, clean, is_known
from services.cadence.content.fragment import Fragment, joined, link, plain
from services.cadence.content.markdown import is_web_address
from services.cadence.content.template import MARK, Template, Use, split
from services.cadence.content.values import Chart, Items, Link, Markdown, Value

_TAGS: Final[Mapping[str, str]] = {"em": "em", "strong": "strong"}


class UnknownValue(Exception):
    """A placeholder without fallback has no known value: the block is left out."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Context:
    """What a message is written with. `missing` collects the names of unknown values.

    `deeper_by`: how many levels headings move down, those of a text inside the body.
    """

    formatter: Formatter
    values: Mapping[str, Value | None]
    uses: tuple[Use, ...] = ()
    missing: dict[str, None] = field(default_factory=dict[str, None])
    deeper_by: int = 0

    def value_of(self, use: Use) -> Value | None:
        """The value if it is known."""
        value = self.values.get(use.name)
        return value if is_known(value) else None


def write_use(use: Use, context: Context) -> Fragment:
    """The value of a placeholder in a sentence, or its fallback. Raises UnknownValue."""
    value = context.value_of(use)
    lead = plain(use.lead)
    if value is not None and use.plurals and isinstance(value, int | float):
        return joined([lead, plain(context.formatter.plural(value, use.plurals))])
    written = _write_value(value, context.formatter) if value is not None else None
    if written is not None and written.text:
        return joined([lead, written])
    if use.otherwise is None:
        context.missing[use.name] = None
        raise UnknownValue(use.name)
    return joined([lead, plain(use.otherwise)]) if use.otherwise else plain("")


def _write_value(value: Value, formatter: Formatter) -> Fragment | None:
    """None: nothing to show inside a sentence."""
    match value:
        case Link(url=url, text=words):
            return (
                link(url, write_text(clean(words) or url, formatter), alone=False)
                if is_web_address(url)
                else None
            )
        case Items(lines=lines):
            return plain(formatter.enumeration(lines))
        case Markdown(text=text):
            return write_text(clean(text), formatter)
        case Chart():
            return None
        case str() if is_web_address(value):
            return link(value, plain(value), alone=False)
        case str():
            return write_text(clean(value), formatter)
        case _:
            return plain(formatter.text(value))


def write_text(text: str, formatter: Formatter) -> Fragment:
    """A text of others, kept from turning its neighbours around when it runs the other way (UAX 9)."""
    html = f"<bdi>{escape(text)}</bdi>" if formatter.isolates(text) else escape(text)
    return Fragment(html, formatter.isolated(text))


def write_template(template: Template, context: Context) -> str:
    """One line of text. Raises UnknownValue."""
    pieces = (
        piece if isinstance(piece, str) else write_use(piece, context).text for piece in template.pieces()
    )
    return " ".join("".join(pieces).split())


def write_inline(node: SyntaxTreeNode, context: Context) -> Fragment:
    """The inside of a paragraph, a heading or a cell. Raises UnknownValue."""
    children = node.children
    is_alone = len(children) == 1 and children[0].type == "link"
    return joined(_write_node(child, context, is_alone) for child in children)


def is_link_alone(node: SyntaxTreeNode) -> bool:
    """Whether a paragraph is a link and nothing else."""
    inside = node.children[0].children if node.children else []
    return len(inside) == 1 and inside[0].type == "link"


def _write_node(node: SyntaxTreeNode, context: Context, is_alone: bool = False) -> Fragment:  # noqa: FBT001, FBT002
    match node.type:
        case "text":
            return joined(_write_pieces(node.content, context))
        case "code_inline":
            return joined(_write_pieces(node.content, context)).inside("code")
        case "softbreak":
            return Fragment("\n", " ")
        case "hardbreak":
            return Fragment("<br>\n", "\n")
        case "link":
            return _write_link(node, context, is_alone=is_alone)
        case "em" | "strong":
            return joined(_write_node(child, context) for child in node.children).inside(_TAGS[node.type])
        case "image":
            return plain(clean(node.content))
        case _:
            return joined(_write_pieces(node.content, context))


def _write_pieces(text: str, context: Context) -> Iterator[Fragment]:
    for piece in split(text, context.uses):
        yield plain(piece) if isinstance(piece, str) else write_use(piece, context)


def _write_link(node: SyntaxTreeNode, context: Context, *, is_alone: bool) -> Fragment:
    words = joined(_write_node(child, context) for child in node.children)
    url = write_url(str(node.attrs.get("href", "")), context.uses, lambda use: _url_part(use, context))
    return link(url, words, alone=is_alone) if is_web_address(url) else words


def write_url(target: str, uses: tuple[Use, ...], part: Callable[[Use], str]) -> str:
    """The address of a link. A value that is not the whole of it is percent-encoded."""
    whole = MARK.fullmatch(target)
    pieces = split(target, uses)
    return "".join(
        piece if isinstance(piece, str) else part(piece) if whole else quote(part(piece), safe="@+")
        for piece in pieces
    )


def _url_part(use: Use, context: Context) -> str:
    """Raises UnknownValue, also for a value that no link may lead to."""
    match context.value_of(use):
        case Link(url=url):
            found = url.strip()
        case str() as text:
            found = "".join(text.split())
        case _:
            found = ""
    if found:
        return found
    context.missing[use.name] = None
    raise UnknownValue(use.name)
