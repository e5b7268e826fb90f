"""XML of strangers as a tree: no document type, no entities but the five of XML, bounded in depth and number of parts.

The parser is Expat, which never opens an address by itself; a document type, which could define entities, ends it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from schemas.problems import Malformed

MAX_DEPTH: Final = 32
MOST_ELEMENTS: Final = 50_000


@dataclass(slots=True)
class Element:
    """`name`: (namespace, local name). `attributes`: "namespace name" -> value. `text`: outside its children."""

    name: tuple[str, str]
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    children: list["Element"] = field(default_factory=list["Element"])
    text: str = ""


class _Builder:
    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        element = Element((namespace, local), attributes)
        self._count += 1
        if len(self._open) >= MAX_DEPTH or self._count > MOST_ELEMENTS:
            raise Malformed(f"body: has more than {MAX_DEPTH} levels or {MOST_ELEMENTS:,} elements")
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def end(self, name: str) -> None:  # noqa: ARG002 - the parser calls it
        self._open.pop()

    def text(self, text: str) -> None:
        self._open[-1].text += text


def parse_xml(body: bytes) -> Element:
    """The root. Raises Malformed for what is not well-formed, has a document type, or is in an encoding Expat lacks."""
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(body, True)  # noqa: FBT003 - the whole document at once
    except expat.ExpatError as wrong:
        raise Malformed(f"body: is no well-formed XML: {wrong}") from None
    except (LookupError, ValueError) as wrong:
        raise Malformed(f"body: cannot be decoded: {wrong}") from None
    assert builder.root is not None  # noqa: S101 - Expat refuses a document without a root
    return builder.root


def _refuse_doctype(*_: object) -> None:
    raise Malformed("body: has a document type (<!DOCTYPE>); send it without one")
