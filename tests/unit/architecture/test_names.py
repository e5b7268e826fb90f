"""Names are the field's words: the words of the former private vocabulary are refused as names.

Version 0.1 named well-known mechanisms in a private language: `told` for an event, `held` for stored state, `judge`
for evaluate, `House` for the running stack. Every reader had to learn it before the first change. Nobody needs these
words to name a variable, an argument, an attribute, a function, a class or an import alias here.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.unit.architecture.sources import MODULES, name_of, report, tree_of

WORDS = """
said told tells telling tellings teller tellers heard hear hears hearing hearings held felt
judge judges judged judging judgement judgements belief beliefs rouse rouses roused
desk desks bench benches house houses shelf shelves face faces faced scene scenes
turn turns turned turning course courses ground grounds footing footings unmoved stirs stirred
wish wishes wished wishing bury buries buried burial burials
"""
OLD_WORDS = frozenset(WORDS.split())


def names_of(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that the code defines, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case (
                ast.arg(arg=name)
                | ast.Name(id=name, ctx=ast.Store())
                | ast.Attribute(attr=name, ctx=ast.Store())
            ):
                yield name, node.lineno
            case (
                ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name))
            ):
                yield name, node.lineno
            case ast.ExceptHandler(name=str(name)):
                yield name, node.lineno
            case ast.alias(asname=str(name)):
                yield name, node.lineno
            case _:
                continue


def parts_of(name: str) -> set[str]:
    """The words of a snake_case or CamelCase name, in lower case."""
    return {part.lower() for part in re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).split("_") if part}


def old_names(source: ast.AST) -> list[str]:
    return [f"line {line}: {name}" for name, line in names_of(source) if parts_of(name) & OLD_WORDS]


def test_no_name_contains_a_word_of_the_former_vocabulary() -> None:
    problems = {name_of(path): old_names(tree_of(path)) for path in MODULES}
    assert not any(problems.values()), report(problems)


@pytest.mark.parametrize(
    "source",
    [
        "held = 1",
        "def tell_all(told): ...",
        "class DeliveryDesk: ...",
        "async def f(*, wishes): ...",
        "self.faces = 1",
        "for each_turn in x: ...",
        "import x as bench",
        "from x import y as JudgeAll",
        "match x:\n    case [*said]: ...",
        "match x:\n    case {'a': 1, **told}: ...",
        "try: ...\nexcept E as heard: ...",
        "(ground := 1)",
        "f = lambda house: 1",
        "scene: int",
    ],
)
def test_old_words_are_found_wherever_a_name_is_defined(source: str) -> None:
    assert len(old_names(ast.parse(source))) == 1


@pytest.mark.parametrize(
    "source", ["background = 1", "def returned(interface): ...", "x.told()", "'held'", "greenhouse = 1"]
)
def test_other_words_and_uses_are_allowed(source: str) -> None:
    assert old_names(ast.parse(source)) == []
