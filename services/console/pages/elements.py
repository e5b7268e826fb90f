"""Building blocks: elements with text, links to accounts, lists whose rows stay in place while they change.

Text goes to the browser as text nodes, so data is never markup. An element that already shows what it should is
not updated, so focus, selection and scroll position stay.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar

from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

from schemas.links import account_page

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
Select = Callable[[str], Awaitable[None]]

# A click with a modifier key opens another tab, as on any link.
_PLAIN_CLICK: Final = (
    "(e) => { if (e.ctrlKey || e.metaKey || e.shiftKey) return; e.preventDefault(); emit(); }"
)


class Node(TextElement):
    """An element of any tag with text, classes and attributes."""

    def __init__(self, tag: str, text: str = "", classes: str = "", **attributes: str | bool) -> None:
        super().__init__(tag=tag, text=text)
        self._attributes: dict[str, str | bool] = {}
        if classes:
            self.classes(classes)
        for name, value in attributes.items():
            self.set_attribute(name.rstrip("_").replace("_", "-"), value)

    def show_text(self, text: str) -> None:
        """Show this text; an empty one hides the element."""
        if self.text != text:
            self.text = text
        self.show(bool(text))

    def show(self, is_shown: bool) -> None:  # noqa: FBT001
        if self.visible != is_shown:
            self.visible = is_shown

    def set_attribute(self, name: str, value: str | bool) -> None:  # noqa: FBT001
        if self._attributes.get(name) != value:
            self._attributes[name] = self.props[name] = value

    def set_classes(self, classes: str) -> None:
        """Replace all classes by these."""
        wanted = [*classes.split(), *(() if self.visible else ("hidden",))]
        if list(self.classes) != wanted:
            self.classes(replace=" ".join(wanted))


class Message(Node):
    """A paragraph that is hidden while it has no text."""

    def __init__(self, classes: str, **attributes: str | bool) -> None:
        super().__init__("p", "", classes, **attributes)
        self.show(is_shown=False)


class Badge(Node):
    """A word with a tone; the word alone carries the meaning."""

    def __init__(self) -> None:
        super().__init__("span", classes="badge")

    def show_word(self, word: str, tone: str) -> None:
        self.set_classes(f"badge {tone}")
        self.show_text(word)


class AccountLink(Node):
    """The name of an account, as a link that opens it."""

    def __init__(self, select: Select) -> None:
        super().__init__("a", classes="account-link")
        self._account_id = ""
        self.on("click", lambda: select(self._account_id), js_handler=_PLAIN_CLICK)

    def show_account(self, account_id: str, name: str) -> None:
        self._account_id = account_id
        self.set_attribute("href", address(account_id))
        self.show_text(name)


def address(account_id: str) -> str:
    """The path of an account's page; that of the list for an empty id."""
    return account_page(account_id) if account_id else "/"


class Row(Protocol[T_contra]):
    """A row of a list: its outermost element, and how it shows an item."""

    @property
    def root(self) -> Element: ...

    def show(self, item: T_contra) -> None: ...


class KeyedList(Generic[T]):
    """A list under `parent`. An item with the same key keeps its row; `heading` is hidden with an empty list."""

    def __init__(
        self,
        parent: Element,
        make_row: Callable[[], Row[T]],
        key: Callable[[T], str],
        heading: Node | None = None,
    ) -> None:
        self._parent = parent
        self._make_row = make_row
        self._key = key
        self._heading = heading
        self._rows: dict[str, Row[T]] = {}

    def show(self, items: Sequence[T]) -> None:
        if self._heading is not None:
            self._heading.show(bool(items))
        by_key = {self._key(item): item for item in items}
        for key in [key for key in self._rows if key not in by_key]:
            self._rows.pop(key).root.delete()
        for position, (key, item) in enumerate(by_key.items()):
            row = self._rows.get(key)
            if row is None:
                with self._parent:
                    row = self._rows[key] = self._make_row()
            row.show(item)
            if self._parent.default_slot.children[position] is not row.root:
                row.root.move(target_index=position)


class TextRow:
    """A row of text alone."""

    def __init__(self, classes: str = "") -> None:
        self.root = Node("li", classes=classes)

    def show(self, item: str) -> None:
        self.root.show_text(item)


def text_list(classes: str, row_classes: str = "", heading: Node | None = None) -> KeyedList[str]:
    """An unordered list of texts."""
    return KeyedList(Node("ul", classes=classes), lambda: TextRow(row_classes), str, heading)


class PairRow:
    """A name and a value in a description list."""

    def __init__(self) -> None:
        with Node("div", classes="fact") as self.root:
            self._name = Node("dt")
            self._value = Node("dd")

    def show(self, item: tuple[str, str]) -> None:
        self._name.show_text(item[0])
        self._value.show_text(item[1])


def pair_list(classes: str) -> KeyedList[tuple[str, str]]:
    """A description list of (name, value)."""
    return KeyedList(Node("dl", classes=classes), PairRow, lambda pair: pair[0])
