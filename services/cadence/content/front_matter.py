"""The front matter of a content file: YAML between two lines `---`, with texts and lists of texts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import yaml

from schemas.vocabulary import Reader
from services.cadence.content.mistakes import Mistake
from services.cadence.expressions.checker import did_you_mean

KEYS: Final[Mapping[str, str]] = {
    "subject": "The subject of the mail and the title in the feed; one line, with placeholders",
    "preheader": "What mail programs show behind the subject; one line, with placeholders",
    "program": "The message presents a program of this kind: release, webinar, newsletter, event or tips",
    "needs": "Placeholders without whose values nothing is sent",
    "agenda": "What is discussed, one line each (owner only)",
    "preparation": "What to prepare, one line each (owner only)",
    "expects": "The outcome it should have, one line (owner only)",
}
OF_OWNER: Final = frozenset({"agenda", "preparation", "expects"})
LISTS: Final = frozenset({"needs", "agenda", "preparation"})
MAX_CHARACTERS: Final = 100_000


class _Mark(Protocol):
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A text of the front matter and the line and column of its first character."""

    text: str
    place: tuple[int, int]


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """`body` begins at line `body_line` of the file."""

    texts: Mapping[str, Entry]
    lists: Mapping[str, tuple[Entry, ...]]
    body: str
    body_line: int


def read_front_matter(text: str, file: str, reader: Reader, mistakes: list[Mistake]) -> FrontMatter | None:
    """Split a file into front matter and body. None when there is no front matter to read; mistakes are added."""
    if len(text) > MAX_CHARACTERS:
        mistakes.append(Mistake(file, 1, 1, f"a content file has at most {MAX_CHARACTERS:,} characters"))
        return None
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    end = next((index for index, line in enumerate(lines) if index and line.rstrip() == "---"), None)
    if lines[0].rstrip() != "---" or end is None:
        example = "begin with a line ---, then `subject: ...`, then a line ---"
        mistakes.append(Mistake(file, 1, 1, f"the front matter is missing: {example}"))
        return None
    root = _compose("\n".join(lines[1:end]), file, mistakes)
    if not isinstance(root, yaml.MappingNode):
        return None
    entries = dict(_entries(root, file, reader, mistakes))
    return FrontMatter(
        {key: values[0] for key, values in entries.items() if key not in LISTS},
        {key: values for key, values in entries.items() if key in LISTS},
        "\n".join(lines[end + 1 :]),
        end + 2,
    )


def _compose(text: str, file: str, mistakes: list[Mistake]) -> yaml.Node | None:
    try:
        for event in yaml.parse(text, yaml.CSafeLoader):
            if any(getattr(event, name, None) is not None for name in ("anchor", "tag")):
                line, column = _place(event.start_mark)
                mistakes.append(Mistake(file, line, column, "YAML aliases and tags are not allowed"))
                return None
        root = yaml.compose(text, yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        problem = getattr(error, "problem", None) or "not readable"
        line, column = _place(getattr(error, "problem_mark", None))
        hint = "; put a text with a colon or a brace at its beginning in quotes"
        mistakes.append(Mistake(file, line, column, f"YAML: {problem}{hint}"))
        return None
    if not isinstance(root, yaml.MappingNode):
        mistakes.append(Mistake(file, 2, 1, "write keys here, such as `subject: Your value report`"))
    return root


def _entries(
    root: yaml.MappingNode, file: str, reader: Reader, mistakes: list[Mistake]
) -> Iterator[tuple[str, tuple[Entry, ...]]]:
    names = [key for key in KEYS if reader == "owner" or key not in OF_OWNER]
    read = set[str]()
    for key, node in root.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        problem = ""
        if name not in names:
            hint = did_you_mean(name, names) or f"; keys are {', '.join(names)}"
            problem = f"unknown key {name!r}{hint}"
        elif name in read:
            problem = f"duplicate key {name!r}"
        if problem:
            mistakes.append(Mistake(file, *_place(key.start_mark), problem))
            continue
        read.add(name)
        if values := _values(name, node, file, mistakes):
            yield name, values


def _values(name: str, node: yaml.Node, file: str, mistakes: list[Mistake]) -> tuple[Entry, ...]:
    nodes: list[yaml.Node] = node.value if isinstance(node, yaml.SequenceNode) else [node]
    is_right = isinstance(node, yaml.SequenceNode) == (name in LISTS)
    if not is_right or not all(isinstance(item, yaml.ScalarNode) and item.value.strip() for item in nodes):
        what = "a list of texts" if name in LISTS else "one line of text; put it in quotes"
        mistakes.append(Mistake(file, *_place(node.start_mark), f"{name!r} is {what}"))
        return ()
    long = next((item for item in nodes if "\n" in item.value.strip()), None)
    if long is not None:
        mistakes.append(Mistake(file, *_place(long.start_mark), f"{name!r}: write each text on one line"))
        return ()
    return tuple(Entry(item.value.strip(), _text_place(item)) for item in nodes)


def _place(mark: _Mark | None) -> tuple[int, int]:
    """The front matter begins on the second line of the file."""
    if mark is None:
        return 2, 1
    return mark.line + 2, mark.column + 1


def _text_place(node: yaml.Node) -> tuple[int, int]:
    line, column = _place(node.start_mark)
    return line, column + bool(getattr(node, "style", None) in {"'", '"'})
