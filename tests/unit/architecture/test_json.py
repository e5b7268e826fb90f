"""JSON is written by a serializer, never by formatting, concatenating or slicing text.

Text that is put together by hand breaks with the first quote or backslash in a value, and nobody can check it.
"""

import ast
import re
from collections.abc import Iterator
from string import Formatter

import pytest

from tests.unit.architecture.sources import MODULES, name_of, report, tree_of

VALUE = "\0"  # stands for a formatted value in the text of an expression
# A complete document with values in it, or a key that a value follows immediately. Prose has a space there.
JSON_TEXT = re.compile(r'^\s*[\[{]\s*".*\0.*[\]}]\s*$|":"?\0', re.DOTALL)
JSON_PUNCTUATION = re.compile(r'^\s*[{}\[\],"]|[{}\[\],"]\s*$')


def text_of(node: ast.expr) -> str:
    """The text of an expression, `VALUE` for what is not constant."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Constant(value=bytes(data)):
            return data.decode("latin-1")
        case ast.JoinedStr(values=parts):
            return "".join(text_of(part) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return text_of(left) + text_of(right)
        case ast.BinOp(left=left, op=ast.Mod()):
            return re.sub(r"%(\(\w+\))?[sdrbf]", VALUE, text_of(left))
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
            return "".join(
                part + ("" if field is None else VALUE) for part, field, *_ in Formatter().parse(text)
            )
        case _:
            return VALUE


def handmade_json(tree: ast.AST) -> Iterator[str]:
    """The places where JSON is put together by hand."""
    for node in ast.walk(tree):
        match node:
            case ast.BinOp(op=ast.Add(), left=left, right=right) if _is_spliced(left, right):
                yield f"line {node.lineno}: {ast.unparse(node)}"
            case ast.JoinedStr() | ast.BinOp() | ast.Call() if JSON_TEXT.search(text_of(node)):
                yield f"line {node.lineno}: {ast.unparse(node)}"
            case _:
                continue


def _is_spliced(left: ast.expr, right: ast.expr) -> bool:
    """Whether bytes with JSON punctuation are added to other bytes."""
    constants = [part.value for part in (left, right) if isinstance(part, ast.Constant)]
    return any(
        isinstance(data, bytes) and JSON_PUNCTUATION.search(data.decode("latin-1")) for data in constants
    )


def test_no_json_is_written_by_hand() -> None:
    problems = {name_of(path): list(handmade_json(tree_of(path))) for path in MODULES}
    assert not any(problems.values()), report(problems)


@pytest.mark.parametrize(
    "source",
    [
        """f'{{"a":{x}}}'""",
        """f'["touchpoint",{x}]'""",
        """f'{start},"version":{x}'""",
        """f'"kind":"{x}"'""",
        """'{"type": ' + x + '}'""",
        """b'{"id":%d}' % x""",
        """'{"id": "%s"}' % x""",
        """'{{"id": {}}}'.format(x)""",
        """body[:-1] + b','""",
        """b'[' + b','.join(x)""",
        """b',"time":' + x""",
    ],
)
def test_json_written_by_hand_is_found(source: str) -> None:
    assert list(handmade_json(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        """f'{x} is not a time; write {{"from": "09:00"}}'""",
        """f'"{x}": there is no such file'""",
        """f'{x}: "{y}"'""",
        """document + b'\\n'""",
        """b'unsubscribe:' + payload""",
        """'{' + ','.join(x) + '}'""",
        """'{"a": 1}'""",
        """f'CREATE ROLE "{x}"'""",
        """text[:-1] + 'y'""",
        """'%s has %d items' % x""",
    ],
)
def test_other_text_is_allowed(source: str) -> None:
    assert list(handmade_json(ast.parse(source))) == []
