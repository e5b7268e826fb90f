"""Check the body of a content file: what may stand in it, where links lead, and that something of it always stands."""

from collections.abc import Iterator

from markdown_it.tree import SyntaxTreeNode

from services.cadence.content.blocks import use_alone
from services.cadence.content.check_uses import check_use, find_placeholder
from services.cadence.content.inline import write_url
from services.cadence.content.markdown import is_web_address
from services.cadence.content.mistakes import Mistake
from services.cadence.content.parse import ContentFile
from services.cadence.content.placeholders import BLOCK_KINDS
from services.cadence.content.template import MARK, Use

_REFUSED = {
    "html_block": "raw HTML is not allowed; write Markdown",
    "html_inline": "raw HTML is not allowed; write Markdown",
    "image": "images are not allowed; a chart is {{ usage.chart }}",
}


def check_body(content: ContentFile) -> Iterator[Mistake]:
    """The mistakes of the body."""
    line = content.body_line
    found = False
    for node in content.tree.walk(include_self=False):
        line = content.body_line + node.map[0] if node.map else line
        for mistake in _check_node(content, node, line):
            found = True
            yield mistake
    if not found and not any(_stands(content, node) for node in content.tree.children):
        what = "nothing of the body would stand if no value were known: write a sentence without placeholders, or"
        yield Mistake(
            content.file, content.body_line, 1, f"{what} name in `needs` what it cannot be sent without"
        )


def _check_node(content: ContentFile, node: SyntaxTreeNode, line: int) -> Iterator[Mistake]:
    if node.type in _REFUSED:
        yield Mistake(content.file, line, 1, _REFUSED[node.type])
    elif node.type == "paragraph" and (use := use_alone(node, content.uses)):
        yield from check_use(content, use, is_alone=True)
    elif node.type == "link":
        yield from _check_link(content, node, line)
    elif node.type in {"text", "code_inline", "fence", "code_block"} and not _is_alone(content, node):
        for use in _uses_in(content, node.content):
            yield from check_use(content, use)


def _is_alone(content: ContentFile, node: SyntaxTreeNode) -> bool:
    """Whether a text is a placeholder that is the whole of its paragraph."""
    inline = node.parent
    paragraph = inline.parent if inline is not None else None
    return (
        paragraph is not None
        and paragraph.type == "paragraph"
        and use_alone(paragraph, content.uses) is not None
    )


def _uses_in(content: ContentFile, text: str) -> list[Use]:
    return [content.uses[int(found[1])] for found in MARK.finditer(text)]


def _check_link(content: ContentFile, node: SyntaxTreeNode, line: int) -> Iterator[Mistake]:
    target = str(node.attrs.get("href", ""))
    uses = _uses_in(content, target)
    for use in uses:
        yield from check_use(content, use)
        placeholder, _ = find_placeholder(content, use.name)
        if placeholder is None or placeholder.kind in BLOCK_KINDS:
            continue
        if MARK.fullmatch(target) and placeholder.kind != "link":
            what = f"{use.name!r} is no address of a page ({placeholder.kind}); write mailto: or tel: before it, or"
            yield Mistake(content.file, use.line, use.column, f"{what} use a link such as csm.booking_url")
        if use.otherwise is not None or use.plurals:
            yield Mistake(content.file, use.line, use.column, "a placeholder in an address takes no options")
    if not MARK.fullmatch(target) and not is_web_address(write_url(target, content.uses, lambda _: "x")):
        shown = target if not uses else "this address"
        yield Mistake(content.file, line, 1, f"{shown!r} leads nowhere: write https://..., mailto: or tel:")


def _stands(content: ContentFile, node: SyntaxTreeNode) -> bool:
    """Whether a block is there with no other values than the needed ones. Greeting and signature do not count."""
    if node.type in {"heading", "hr"} or _is_frame(node):
        return False
    texts = [str(part.attrs.get("href", "")) + part.content for part in node.walk() if not part.children]
    links = [str(part.attrs.get("href", "")) for part in node.walk() if part.type == "link"]
    uses = _uses_in(content, "".join([*texts, *links]))
    if node.type in {"bullet_list", "ordered_list", "table", "blockquote"}:
        return any(
            _stands_alone(content, part)
            for part in node.walk()
            if part.type in {"list_item", "tr", "paragraph"}
        )
    return _are_known(content, uses)


def _is_frame(node: SyntaxTreeNode) -> bool:
    """The first paragraph that ends in a comma, and the last one if it has several lines."""
    around = node.siblings
    texts = [part.content for part in node.walk() if not part.children]
    is_greeting = node is around[0] and bool(texts) and texts[-1].rstrip().endswith(",")
    is_signature = node is around[-1] and any(part.type == "hardbreak" for part in node.walk())
    return len(around) > 1 and node.type == "paragraph" and (is_greeting or is_signature)


def _stands_alone(content: ContentFile, node: SyntaxTreeNode) -> bool:
    if any(part.type == "th" for part in node.walk()):
        return False
    text = "".join(
        str(part.attrs.get("href", "")) + part.content for part in node.walk() if part.type != "inline"
    )
    return _are_known(content, _uses_in(content, text))


def _are_known(content: ContentFile, uses: list[Use]) -> bool:
    return all(use.otherwise is not None or use.name in content.needs for use in uses)
