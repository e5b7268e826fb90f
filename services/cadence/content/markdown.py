"""Markdown: CommonMark with tables and without raw HTML, read by markdown-it-py into a tree."""

from functools import cache
from typing import Final
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})


class _AsWritten(MarkdownIt):
    """Link targets stay as they are written: they may hold the mark of a placeholder."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the name is markdown-it's
        return url

    def validateLink(self, url: str) -> bool:  # noqa: N802, ARG002
        return True


@cache
def _parser(*, html: bool) -> MarkdownIt:
    return _AsWritten("commonmark", {"html": html}).enable("table")


def parse_markdown(text: str, *, html: bool = False) -> SyntaxTreeNode:
    """The tree of a text. With `html` raw HTML becomes nodes of its own, else it is text."""
    return SyntaxTreeNode(_parser(html=html).parse(text))


def is_web_address(url: str) -> bool:
    """Whether a link may lead there: http, https, mailto and tel, and no white space or control characters."""
    if not url.isprintable() or any(character.isspace() for character in url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme.lower() in SCHEMES and bool(parts.netloc or parts.scheme.lower() in {"mailto", "tel"})
