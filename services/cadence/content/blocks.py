"""Write blocks: a block with an unknown value is left out, and so is what has nothing left to say without it."""

from collections.abc import Sequence

from markdown_it.tree import SyntaxTreeNode

from services.cadence.content.chart import write_chart
from services.cadence.content.format import clean
from services.cadence.content.fragment import Fragment, joined, plain
from services.cadence.content.inline import (
    Context,
    UnknownValue,
    is_link_alone,
    write_inline,
    write_text,
    write_use,
)
from services.cadence.content.markdown import parse_markdown
from services.cadence.content.template import MARK, Use
from services.cadence.content.values import Chart, Items, Markdown

_COLONS = (":", "\uff1a")
_BREAK = Fragment("<hr>", "---")
Written = tuple[SyntaxTreeNode, Fragment | None]


def write_blocks(nodes: Sequence[SyntaxTreeNode], context: Context) -> list[Fragment]:
    """The blocks that are left, in order.

    A heading without anything below it is left out, and a paragraph that ends in a colon without what it announces.
    """
    written = [(node, _write_block(node, context)) for node in nodes]
    return [fragment for _, fragment in _prune_breaks(_prune_headings(_prune_leads(written))) if fragment]


def _write_block(node: SyntaxTreeNode, context: Context) -> Fragment | None:
    try:
        return _write_known_block(node, context)
    except UnknownValue:
        return None


def _write_known_block(node: SyntaxTreeNode, context: Context) -> Fragment | None:
    """None when nothing is left of it. Raises UnknownValue."""
    match node.type:
        case "paragraph":
            return _write_paragraph(node, context)
        case "heading":
            inside = write_inline(node.children[0], context)
            level = min(int(node.tag[1]) + context.deeper_by, 6)
            return inside.inside(f"h{level}") if inside.text.strip() else None
        case "bullet_list" | "ordered_list":
            return _write_list(node, context)
        case "blockquote":
            left = write_blocks(node.children, context)
            return joined(left, "\n", "\n\n").inside("blockquote") if left else None
        case "table":
            return _write_table(node, context)
        case "fence" | "code_block":
            return plain(node.content.rstrip("\n")).inside("pre")
        case "hr":
            return _BREAK
        case _:
            text = clean(node.content) if not node.children else ""
            return plain(text).inside("p") if text else None


def use_alone(node: SyntaxTreeNode, uses: tuple[Use, ...]) -> Use | None:
    """The placeholder that is the whole of a paragraph."""
    inside = node.children[0].children if node.type == "paragraph" and node.children else []
    mark = (
        MARK.fullmatch(inside[0].content.strip()) if len(inside) == 1 and inside[0].type == "text" else None
    )
    return uses[int(mark[1])] if mark else None


def _write_paragraph(node: SyntaxTreeNode, context: Context) -> Fragment | None:
    use = use_alone(node, context.uses)
    if use is not None:
        return _write_use_alone(use, context, is_tight=node.hidden)
    inside = write_inline(node.children[0], context)
    if not inside.text.strip():
        return None
    if node.hidden:
        return inside
    return (
        Fragment(f'<p class="action">{inside.html}</p>', inside.text)
        if is_link_alone(node)
        else inside.inside("p")
    )


def _write_use_alone(use: Use, context: Context, *, is_tight: bool) -> Fragment | None:
    """Raises UnknownValue."""
    match context.value_of(use):
        case Items(lines=lines):
            items = [write_text(text, context.formatter) for text in map(clean, lines) if text]
            return _listed(items, "ul", [f"- {item.text}" for item in items])
        case Chart() as chart:
            return write_chart(chart, context.formatter)
        case Markdown(text=text):
            own = Context(context.formatter, {}, (), context.missing, deeper_by=2)
            left = write_blocks(parse_markdown(_without_marks(text)).children, own)
            if left:
                return joined(left, "\n", "\n\n")
            context.missing[use.name] = None
            raise UnknownValue(use.name)
        case _:
            inside = write_use(use, context)
            return (inside if is_tight else inside.inside("p")) if inside.text.strip() else None


def _without_marks(text: str) -> str:
    return "\n".join(map(_clean_line, text.splitlines()))


def _clean_line(line: str) -> str:
    """A line of Markdown without the characters that `clean` takes away; its indent and its end stay."""
    indent = line[: len(line) - len(line.lstrip(" "))]
    end = "  " if line.endswith("  ") else ""
    return f"{indent}{clean(line)}{end}"


def _listed(items: Sequence[Fragment], tag: str, lines: Sequence[str]) -> Fragment:
    html = "\n".join(f"<li>{item.html}</li>" for item in items)
    return Fragment(f"<{tag}>\n{html}\n</{tag}>", "\n".join(lines))


def _write_list(node: SyntaxTreeNode, context: Context) -> Fragment | None:
    items = [item for child in node.children if (item := _write_item(child, context))]
    if not items:
        return None
    is_ordered = node.type == "ordered_list"
    first = int(node.attrs.get("start", 1)) if is_ordered else 1
    marks = [f"{number}. " if is_ordered else "- " for number in range(first, first + len(items))]
    lines = [
        mark + item.text.replace("\n", "\n" + " " * len(mark))
        for mark, item in zip(marks, items, strict=True)
    ]
    return _listed(items, "ol" if is_ordered else "ul", lines)


def _write_item(node: SyntaxTreeNode, context: Context) -> Fragment | None:
    """An item is what its first block says: without it the item is left out."""
    head = _write_block(node.children[0], context) if node.children else None
    if head is None:
        return None
    return joined([head, *write_blocks(node.children[1:], context)], "\n", "\n")


def _write_table(node: SyntaxTreeNode, context: Context) -> Fragment | None:
    """Rows with an unknown value are left out, and a table without rows. Raises UnknownValue for its head."""
    head = [
        _write_cells(row, context) for part in node.children if part.type == "thead" for row in part.children
    ]
    body = list[list[Fragment]]()
    for row in (row for part in node.children if part.type == "tbody" for row in part.children):
        try:
            body.append(_write_cells(row, context))
        except UnknownValue:
            continue
    if not body:
        return None
    heads = [row for row in head if any(cell.text.strip() for cell in row)]
    html = [_row(row, "th") for row in heads] + [_row(row, "td") for row in body]
    widths = [max(len(cell.text) for cell in column) for column in zip(*heads, *body, strict=True)]
    text = [
        "  ".join(cell.text.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [*heads, *body]
    ]
    return Fragment("<table>\n" + "\n".join(html) + "\n</table>", "\n".join(text))


def _write_cells(row: SyntaxTreeNode, context: Context) -> list[Fragment]:
    return [write_inline(cell.children[0], context) for cell in row.children]


def _row(cells: Sequence[Fragment], tag: str) -> str:
    return "<tr>" + "".join(cell.inside(tag).html for cell in cells) + "</tr>"


def _prune_leads(written: Sequence[Written]) -> list[Written]:
    kept: list[Written] = []
    follows = True
    for node, fragment in reversed(written):
        announces = (
            node.type == "paragraph" and fragment is not None and fragment.text.rstrip().endswith(_COLONS)
        )
        left = None if announces and not follows else fragment
        kept.append((node, left))
        follows = left is not None
    return kept[::-1]


def _prune_headings(written: Sequence[Written]) -> list[Written]:
    kept: list[Written] = []
    has_content, below = False, 0  # `below`: the level of the heading that follows and is kept
    for node, fragment in reversed(written):
        if node.type != "heading":
            has_content = has_content or (fragment is not None and node.type != "hr")
            kept.append((node, fragment))
            continue
        level = int(node.tag[1])
        is_kept = fragment is not None and (has_content or below > level)
        kept.append((node, fragment if is_kept else None))
        has_content, below = False, level if is_kept else below
    return kept[::-1]


def _prune_breaks(written: Sequence[Written]) -> list[Written]:
    left = [(node, fragment) for node, fragment in written if fragment is not None]
    kept = [
        pair
        for index, pair in enumerate(left)
        if pair[0].type != "hr" or (index and left[index - 1][0].type != "hr")
    ]
    while kept and kept[-1][0].type == "hr":
        kept.pop()
    return [*kept]
