"""Parser: the text of a condition to tokens, and tokens to a tree by operator precedence (Pratt).

From weakest to tightest: or, and, not, comparison, + -, * /. Whether a called function exists and takes such
arguments is checked later, by `checker`.
"""

import re
from typing import NamedTuple

from services.cadence.expressions import tree
from services.cadence.expressions.tree import Const, ExpressionError, Node

MAX_DIGITS = 15
_MAX_CHARACTERS = 2_000
_MAX_TEXT = 200
_KEYWORDS = frozenset({"and", "or", "not", "in", "between", "is", "null", "true", "false"})
_TOKEN = re.compile(
    r"""(?P<number>[0-9][0-9_]*(?:\.[0-9][0-9_]*)?%?)|(?P<text>"[^"\\\n]*")|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"""
    r"""|(?P<sign><=|>=|==|!=|[-+*/<>()\[\],])|(?P<space>\s+)"""
)
_MISPLACED_UNDERSCORE = re.compile(r"_(?![0-9])")
_HINTS = {
    "=": "; compare with `==`",
    "'": '; write text in double quotes: "red"',
    "&": "; write `and`",
    "|": "; write `or`",
}
_MAX_DEPTH = 32
_MAX_NODES = 200
_MAX_MEMBERS = 64
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_NOT = 3
_COMPARISON = 4
_PRECEDENCE = {"or": 1, "and": 2, "+": 5, "-": 5, "*": 6, "/": 6} | dict.fromkeys(
    (*_COMPARISONS, "in", "not", "is", "between"), _COMPARISON
)


class _Token(NamedTuple):
    """`kind`: number, text, word, end, or the keyword or sign itself."""

    kind: str
    text: str
    at: int


def _tokenize(source: str) -> list[_Token]:
    """All tokens, the last one of kind `end`. Raises `ExpressionError` where no token begins."""
    if len(source) > _MAX_CHARACTERS:
        message = f"a condition has at most {_MAX_CHARACTERS} characters, this has {len(source)}"
        raise ExpressionError(message, 0)
    tokens: list[_Token] = []
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            raise ExpressionError(f"unexpected character {source[at]!r}{_HINTS.get(source[at], '')}", at)
        if match.lastgroup != "space":
            tokens.append(_token(match))
        at = match.end()
    return [*tokens, _Token("end", "", len(source))]


def _token(match: re.Match[str]) -> _Token:
    text, kind, at = match.group(), match.lastgroup or "", match.start()
    if kind == "number" and _MISPLACED_UNDERSCORE.search(text):
        raise ExpressionError("write `_` between two digits", at)
    if kind == "number" and sum(map(str.isdigit, text)) > MAX_DIGITS:
        raise ExpressionError(f"a number has at most {MAX_DIGITS} digits", at)
    if kind == "text" and len(text) > _MAX_TEXT:
        raise ExpressionError(f"a text has at most {_MAX_TEXT} characters", at)
    if kind == "text" and not text.isprintable():
        raise ExpressionError("a text holds a character that cannot be shown", at)
    return _Token(text if kind == "sign" or text in _KEYWORDS else kind, text, at)


def parse(source: str) -> Node:
    """The tree of a condition. Raises `ExpressionError` at the first token that does not fit."""
    parser = _Parser(_tokenize(source))
    node = parser.expression(0)
    if parser.token.kind != "end":
        raise ExpressionError(f"unexpected {parser.token.text!r}", parser.token.at)
    return node


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0
        self._nodes = 0

    @property
    def token(self) -> _Token:
        return self._tokens[self._next]

    def take(self) -> _Token:
        token = self.token
        self._next += 1
        return token

    def take_if(self, kind: str) -> bool:
        is_next = self.token.kind == kind
        self._next += is_next
        return is_next

    def expect(self, kind: str) -> _Token:
        if self.token.kind != kind:
            raise ExpressionError(f"expected `{kind}`, found {self.token.text or 'the end'!r}", self.token.at)
        return self.take()

    def count(self, node: Node) -> Node:
        self._nodes += 1
        if self._nodes > _MAX_NODES:
            raise ExpressionError(f"a condition has at most {_MAX_NODES} parts", node.at)
        return node

    def expression(self, precedence: int) -> Node:
        """The longest expression whose operators bind tighter than `precedence`."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ExpressionError(f"nested deeper than {_MAX_DEPTH}", self.token.at)
        left = self.prefix()
        while _PRECEDENCE.get(self.token.kind, 0) > precedence:
            left = self.infix(left, self.take())
        self._depth -= 1
        return left

    def prefix(self) -> Node:
        token = self.take()
        match token.kind:
            case "number" | "text" | "true" | "false":
                return self.count(_constant(token))
            case "word":
                return self.call(token) if self.take_if("(") else self.count(tree.Name(token.text, token.at))
            case "not":
                return self.count(tree.Not(self.expression(_NOT), token.at))
            case "-":
                return self.negative(token)
            case "(":
                inner = self.expression(0)
                self.expect(")")
                return inner
            case "null":
                raise ExpressionError("ask for null with `is null` or `is not null`", token.at)
            case _:
                raise ExpressionError(f"unexpected {token.text or 'end of the condition'!r}", token.at)

    def call(self, token: _Token) -> Node:
        arguments: list[Node] = []
        while self.token.kind != ")":
            arguments.append(self.expression(0))
            if not self.take_if(","):
                break
        self.expect(")")
        return self.count(tree.Call(token.text, tuple(arguments), token.at))

    def negative(self, token: _Token) -> Node:
        number = self.take()
        if number.kind != "number":
            raise ExpressionError("`-` stands before a number or between two", token.at)
        return self.count(Const(-_number(number.text), token.at))

    def infix(self, left: Node, token: _Token) -> Node:
        match token.kind:
            case "and" | "or":
                return self.chain(left, token)
            case "+" | "-" | "*" | "/":
                right = self.expression(_PRECEDENCE[token.kind])
                return self.count(tree.Arithmetic(token.kind, left, right, token.at))
            case "in":
                return self.membership(left, token)
            case "not":
                self.expect("in")
                return self.count(tree.Not(self.membership(left, token), token.at))
            case "is":
                return self.null_test(left, token)
            case "between":
                return self.between(left, token)
            case _:
                return self.comparison(left, token)

    def comparison(self, left: Node, token: _Token) -> Node:
        right = self.expression(_COMPARISON)
        if self.token.kind in _COMPARISONS:
            message = "comparisons do not chain; write `a < b and b < c`, or `between`"
            raise ExpressionError(message, self.token.at)
        return self.count(tree.Compare(token.kind, left, right, token.at))

    def chain(self, left: Node, token: _Token) -> Node:
        parts = [left, self.expression(_PRECEDENCE[token.kind])]
        while self.take_if(token.kind):
            parts.append(self.expression(_PRECEDENCE[token.kind]))
        return self.count((tree.And if token.kind == "and" else tree.Or)(tuple(parts), token.at))

    def null_test(self, left: Node, token: _Token) -> Node:
        is_negated = self.take_if("not")
        self.expect("null")
        node = self.count(tree.IsNull(left, token.at))
        return self.count(tree.Not(node, token.at)) if is_negated else node

    def between(self, left: Node, token: _Token) -> Node:
        low = self.expression(_COMPARISON)
        self.expect("and")
        high = self.expression(_COMPARISON)
        ends = ((">=", low), ("<=", high))
        parts = tuple(self.count(tree.Compare(op, left, end, token.at)) for op, end in ends)
        return self.count(tree.And(parts, token.at))

    def membership(self, left: Node, token: _Token) -> Node:
        self.expect("[")
        members: list[Const] = []
        while True:
            member = self.prefix()
            if not isinstance(member, Const):
                raise ExpressionError("only constants stand inside [ ]", member.at)
            members.append(member)
            if len(members) > _MAX_MEMBERS:
                raise ExpressionError(f"a list has at most {_MAX_MEMBERS} members", member.at)
            if not self.take_if(","):
                break
        self.expect("]")
        return self.count(tree.Membership(left, tuple(members), token.at))


def _constant(token: _Token) -> Const:
    if token.kind == "number":
        return Const(_number(token.text), token.at)
    return Const(token.text[1:-1] if token.kind == "text" else token.kind == "true", token.at)


def _number(text: str) -> int | float:
    digits = text.rstrip("%")
    value = float(digits) if "." in digits else int(digits)
    return value / 100 if text.endswith("%") else value
