"""Read a YAML file into plain data, with the line and column of every value.

Scalars stay the text that was written. Tags, aliases and further documents are refused.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Protocol

import yaml

from services.cadence.policy.errors import Mistakes, Path, excerpt
from services.cadence.policy.model import Location

MAX_CHARACTERS = 1_000_000
MAX_EVENTS = 50_000
"""YAML events of all files of a policy together."""
MAX_DEPTH = 16
_HINTS = {
    "mapping values are not allowed": "; put a text with a colon in quotes",
    "could not find expected ':'": "; is this line a key with its colon, indented like the lines around it?",
    "cannot start any token": "; indent with spaces, and put a text that begins with a special character in quotes",
    "tab character": "; indent with spaces",
    "did not find expected key": "; indent keys alike, and write a text that begins with a quotation mark after `>-`",
    "expected a single document": "; a file is one document: remove the second `---`",
}


class _Mark(Protocol):
    line: int
    column: int


@dataclass(slots=True)
class YamlFile:
    """A file. `data`: dictionaries, lists and the values of scalars. `nodes`: key and value at each path of the data."""

    name: str
    text: str
    mistakes: Mistakes
    scalar: Callable[[yaml.ScalarNode], object]
    nodes: dict[Path, tuple[yaml.Node, yaml.Node]] = field(
        default_factory=dict[Path, tuple[yaml.Node, yaml.Node]]
    )
    data: object = None

    def add_mistake(self, path: Path, message: str, at: int = 0, *, on_key: bool = False) -> None:
        """Wrong is the value at a path, from character `at`, or its key. Of what is absent: the mapping around it."""
        key, value = self.nodes_at(path)
        self._add(key if on_key else value, path[:-1] if on_key else path, message, at)

    def _add(self, node: yaml.Node, path: Path, message: str, at: int = 0) -> None:
        where = self.title(path)
        text = f"{where}: {message}" if where else message
        self.mistakes.add(self.name, position(self.text, node, at), text)

    def nodes_at(self, path: Path) -> tuple[yaml.Node, yaml.Node]:
        """Key and value of the path, or of the longest beginning of it that the file has."""
        while path not in self.nodes:
            path = path[:-1]
        return self.nodes[path]

    def place(self, path: Path, *, on_key: bool = False) -> Location:
        key, value = self.nodes_at(path)
        return Location(self.name, (key if on_key else value).start_mark.line + 1)

    def title(self, path: Path) -> str:
        """What a path leads to, for messages: `red-check-in.every`."""
        names, kind = list[str](), ""
        for end, part in enumerate(path, 1):
            _, node = self.nodes.get(path[:end], (None, None))
            if isinstance(part, str) and node is not None:
                names = [_named(part) or "touchpoint"] if names == ["touchpoints"] else [*names, part]
                kind = part.removesuffix("s")
            elif isinstance(node, yaml.MappingNode):
                own = (self.nodes.get((*path[:end], key)) for key in ("rule", kind))
                names = [next((_named(str(pair[1].value)) for pair in own if pair), "") or kind]
        return ".".join(names)

    def read(self, key: yaml.Node, node: yaml.Node, path: Path = ()) -> object:
        """The data of a node. A key that is written twice is a mistake; its first value counts."""
        self.nodes[path] = key, node
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, item, (*path, index)) for index, item in enumerate(node.value)]
        data: dict[str, object] = {}
        for name_node, value in node.value:
            name = name_node.value if isinstance(name_node, yaml.ScalarNode) else ""
            if name in data:
                self._add(name_node, path, f"duplicate key {excerpt(name)}")
            else:
                data[name] = self.read(name_node, value, (*path, name))
        return data


def _named(name: str) -> str:
    return name if re.fullmatch("[a-z][a-z0-9_-]{0,63}", name) else ""


def read_yaml(
    name: str,
    text: str,
    mistakes: Mistakes,
    scalar: Callable[[yaml.ScalarNode], object] = attrgetter("value"),
) -> YamlFile | None:
    """The file, or None with a mistake added. `scalar` makes the value of a scalar."""
    file, before = YamlFile(name, text.removeprefix("\ufeff"), mistakes, scalar), len(mistakes.entries)
    try:
        root = yaml.compose(file.text, yaml.CSafeLoader) if _is_within_limits(file) else None
        if root is not None:
            file.data = file.read(root, root)
            return file
        if len(mistakes.entries) == before:
            mistakes.add(name, (1, 1), "the file is empty")
    except UnicodeEncodeError as error:
        line = file.text.count("\n", 0, error.start) + 1
        column = error.start - file.text.rfind("\n", 0, error.start)
        mistakes.add(name, (line, column), "half of a surrogate pair is not a character")
    except yaml.YAMLError as error:
        marked = error if isinstance(error, yaml.MarkedYAMLError) else yaml.MarkedYAMLError()
        problem = marked.problem or str(error) or "not readable as YAML"
        hint = next((hint for phrase, hint in _HINTS.items() if phrase in str(error)), "")
        mistakes.add(name, _start(marked.problem_mark), f"YAML: {problem}{hint}")
    return None


def _is_within_limits(file: YamlFile) -> bool:
    mistakes = file.mistakes
    if len(file.text) > MAX_CHARACTERS:
        mistakes.add(file.name, (1, 1), f"a policy file has at most {MAX_CHARACTERS:,} characters")
        return False
    depth = 0
    for event in yaml.parse(file.text, yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        mistakes.yaml_events += 1
        problem = _problem(event, depth, mistakes.yaml_events)
        if problem:
            mistakes.add(file.name, _start(event.start_mark), problem)
            return False
    return True


def _problem(event: yaml.Event, depth: int, count: int) -> str | None:
    if isinstance(event, yaml.AliasEvent):
        return "YAML aliases are not allowed"
    if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
        return "YAML tags are not allowed; put a text that begins with `!` in quotes"
    if depth > MAX_DEPTH:
        return f"nested deeper than {MAX_DEPTH}"
    return "the policy is too large" if count > MAX_EVENTS else None


def _start(mark: _Mark | None) -> tuple[int, int]:
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def position(text: str, node: yaml.Node, at: int) -> tuple[int, int]:
    """Line and column, from 1, of character `at` of a node's value, through quotes and folded lines.

    Folding changes white space alone, so the n-th visible character of the value is the n-th in the file.
    """
    if not isinstance(node, yaml.ScalarNode) or (not at and not node.style):
        return _start(node.start_mark)
    begin = text.find("\n", node.start_mark.index) if node.style in {"|", ">"} else node.start_mark.index
    wanted = sum(1 for character in node.value[:at] if not character.isspace())
    for index in range(begin + bool(node.style), min(node.end_mark.index, len(text))):
        if text[index].isspace() or (node.style == '"' and text[index] == "\\"):
            continue
        if wanted == 0:
            return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)
        wanted -= 1
    return _start(node.end_mark)
