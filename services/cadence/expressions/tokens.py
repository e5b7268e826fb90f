"""Characters to tokens. Nothing but words, numbers, double-quoted text and a few signs is known."""

import re
from dataclasses import dataclass

from services.cadence.expressions.tree import ExpressionError

CHARACTERS = 2_000
TEXT = 200
DIGITS = 15
KEYWORDS = frozenset({"and", "or", "not", "in", "between", "is", "null", "true", "false"})
_TOKEN = re.compile(
    r"""(?P<number>[0-9][0-9_]*(?:\.[0-9][0-9_]*)?%?)|(?P<text>"[^"\\\n]*")|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"""
    r"""|(?P<sign><=|>=|==|!=|[-+*/<>()\[\],])"""
)
_LOOSE = re.compile(r"_(?![0-9])")
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Token:
    """`kind`: number, text, word, end, or the keyword or sign itself."""

    kind: str
    text: str
    at: int


def tokens(source: str) -> list[Token]:
    """All tokens and an `end`. Raises `Fault` at the first character that is none."""
    if len(source) > CHARACTERS:
        raise ExpressionError(f"a condition has at most {CHARACTERS} characters, this has {len(source)}", 0)
    found: list[Token] = []
    at = _skip(source, 0)
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise ExpressionError(_stranger(source[at]), at)
        found.append(_token(match, at))
        at = _skip(source, match.end())
    found.append(Token("end", "", len(source)))
    return found


def _skip(source: str, at: int) -> int:
    match = _SPACE.match(source, at)
    return match.end() if match else at


def _token(match: re.Match[str], at: int) -> Token:
    text = match.group()
    kind = match.lastgroup or ""
    if kind == "number" and _LOOSE.search(text):
        raise ExpressionError("write `_` between two digits", at)
    if kind == "number" and sum(map(str.isdigit, text)) > DIGITS:
        raise ExpressionError(f"a number has at most {DIGITS} digits", at)
    if kind == "text" and len(text) > TEXT:
        raise ExpressionError(f"a text has at most {TEXT} characters", at)
    if kind == "text" and not text.isprintable():
        raise ExpressionError("a text holds a character that cannot be shown", at)
    if kind == "sign" or text in KEYWORDS:
        kind = text
    return Token(kind, text, at)


def _stranger(character: str) -> str:
    hints = {
        "=": "; compare with `==`",
        "'": '; write text in double quotes: "red"',
        "&": "; write `and`",
        "|": "; write `or`",
    }
    return f"unexpected character {character!r}" + hints.get(character, "")
