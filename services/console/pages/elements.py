"""Building blocks: elements with words, links to accounts, lists whose rows stay in place while they change.

Words go to the browser as text nodes, so what comes from data is never markup. An element that already says
what it should is left alone: nothing flickers, and focus, selection and scroll stay where they are.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar
from urllib.parse import quote

from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
Select = Callable[[str], Awaitable[None]]

# A click with a modifier opens another tab, as on any link.
_PLAIN_CLICK: Final = (
    "(e) => { if (e.ctrlKey || e.metaKey || e.shiftKey) return; e.preventDefault(); emit(); }"
)


class Node(TextElement):
    """An element of any tag with classes, attributes and words."""

    def __init__(self, tag: str, words: str = "", classes: str = "", **attributes: str | bool) -> None:
        super().__init__(tag=tag, text=words)
        self._put: dict[str, str | bool] = {}
        if classes:
            self.classes(classes)
        for name, value in attributes.items():
            self.put(name.rstrip("_").replace("_", "-"), value)

    def say(self, words: str) -> None:
        """Show these words; an element without words takes no room."""
        if self.text != words:
            self.text = words
        self.show(bool(words))

    def show(self, wanted: bool) -> None:  # noqa: FBT001
        if self.visible != wanted:
            self.visible = wanted

    def put(self, name: str, value: str | bool) -> None:  # noqa: FBT001
        """Set an attribute."""
        if self._put.get(name) != value:
            self._put[name] = self.props[name] = value

    def dress(self, classes: str) -> None:
        """Have these classes and no others."""
        wanted = [*classes.split(), *(() if self.visible else ("hidden",))]
        if list(self.classes) != wanted:
            self.classes(replace=" ".join(wanted))


class Badge(Node):
    """A word with a tone; the tone repeats what the word says."""

    def __init__(self) -> None:
        super().__init__("span", classes="badge")

    def tell(self, word: str, tone: str) -> None:
        self.dress(f"badge {tone}")
        self.say(word)


class AccountLink(Node):
    """The name of an account, which opens it."""

    def __init__(self, select: Select, classes: str = "account-link") -> None:
        super().__init__("a", classes=classes)
        self._account_id = ""
        self.on("click", lambda: select(self._account_id), js_handler=_PLAIN_CLICK)

    def name(self, account_id: str, words: str) -> None:
        self._account_id = account_id
        self.put("href", address(account_id))
        self.say(words)


def address(account_id: str) -> str:
    """Where an account is shown."""
    return f"/?account={quote(account_id, safe='')}" if account_id else "/"


class Row(Protocol[T_contra]):
    """One row of a list: its outermost element, and how it shows an item."""

    @property
    def root(self) -> Element: ...

    def show(self, item: T_contra) -> None: ...


class Keyed(Generic[T]):
    """A list under `parent`. A row belongs to a key as long as an item has it."""

    def __init__(self, parent: Element, make: Callable[[], Row[T]], key: Callable[[T], str]) -> None:
        self._parent = parent
        self._make = make
        self._key = key
        self._rows: dict[str, Row[T]] = {}

    def show(self, items: Sequence[T]) -> None:
        wanted = {self._key(item): item for item in items}
        for key in [key for key in self._rows if key not in wanted]:
            self._rows.pop(key).root.delete()
        for place, (key, item) in enumerate(wanted.items()):
            row = self._rows.get(key)
            if row is None:
                with self._parent:
                    row = self._rows[key] = self._make()
            row.show(item)
            if self._parent.default_slot.children[place] is not row.root:
                row.root.move(target_index=place)


class Plain:
    """A row of words alone."""

    def __init__(self, tag: str = "li", classes: str = "") -> None:
        self.root = Node(tag, classes=classes)

    def show(self, item: str) -> None:
        self.root.say(item)
