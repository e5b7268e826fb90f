"""A piece of a message twice: as HTML and as plain text."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Fragment:
    """`html` is escaped and has plain tags; `text` is for people who read no HTML."""

    html: str
    text: str

    def inside(self, tag: str) -> "Fragment":
        """The same inside an element; the text stays."""
        return Fragment(f"<{tag}>{self.html}</{tag}>", self.text)


def plain(text: str) -> Fragment:
    """Text, escaped for HTML."""
    return Fragment(escape(text), text)


def joined(fragments: Iterable[Fragment], html: str = "", text: str = "") -> Fragment:
    """One after the other, with these between them."""
    parts = tuple(fragments)
    return Fragment(html.join(part.html for part in parts), text.join(part.text for part in parts))


def link(url: str, words: Fragment, *, alone: bool) -> Fragment:
    """A link. In text a link that stands alone is `words: url`, one in a sentence `words (url)`."""
    html = f'<a href="{escape(url)}">{words.html}</a>'
    address = url.removeprefix("mailto:").removeprefix("tel:")
    if words.text in {url, address}:
        return Fragment(html, address)
    return Fragment(html, f"{words.text}: {address}" if alone else f"{words.text} ({address})")
