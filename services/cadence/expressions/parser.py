"""Tokens to a tree, by operator precedence (Pratt): or < and < not < comparison < + - < * /.

Whether a called function exists and fits its arguments is for the checker to say, with everything else.
"""

from services.cadence.expressions.tokens import Token, tokens
from services.cadence.expressions.tree import (
    And,
    Arithmetic,
    Call,
    Compare,
    Const,
    ExpressionError,
    IsNull,
    Membership,
    Name,
    Node,
    Not,
    Or,
)

DEPTH = 32
NODES = 200
MEMBERS = 64
_POWER = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in", "not", "is", "between"), 4),
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
}
_NOT = 3
_COMPARISON = 4


def parse(source: str) -> Node:
    """The tree of a condition. Raises `Fault` where it stops making sense."""
    parser = _Parser(tokens(source))
    node = parser.expression(0)
    rest = parser.token
    if rest.kind != "end":
        raise ExpressionError(f"unexpected {rest.text!r}", rest.at)
    return node


class _Parser:
    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._next = 0
        self._depth = 0
        self._nodes = 0

    @property
    def token(self) -> Token:
        return self._tokens[self._next]

    def take(self) -> Token:
        token = self.token
        self._next += 1
        return token

    def expect(self, kind: str) -> Token:
        if self.token.kind != kind:
            raise ExpressionError(f"expected `{kind}`, found {self.token.text or 'the end'!r}", self.token.at)
        return self.take()

    def made(self, node: Node) -> Node:
        self._nodes += 1
        if self._nodes > NODES:
            raise ExpressionError(f"a condition has at most {NODES} parts", node.at)
        return node

    def expression(self, power: int) -> Node:
        self._depth += 1
        if self._depth > DEPTH:
            raise ExpressionError(f"nested deeper than {DEPTH}", self.token.at)
        left = self.prefix()
        while _POWER.get(self.token.kind, 0) > power:
            left = self.infix(left, self.take())
        self._depth -= 1
        return left

    def prefix(self) -> Node:
        token = self.take()
        match token.kind:
            case "number" | "text" | "true" | "false":
                return self.made(_const(token))
            case "word":
                return self.word(token)
            case "not":
                return self.made(Not(self.expression(_NOT), token.at))
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

    def word(self, token: Token) -> Node:
        if self.token.kind == "(":
            return self.call(token)
        return self.made(Name(token.text, token.at))

    def call(self, token: Token) -> Node:
        self.take()
        arguments: list[Node] = []
        while self.token.kind != ")":
            arguments.append(self.expression(0))
            if self.token.kind != ",":
                break
            self.take()
        self.expect(")")
        return self.made(Call(token.text, tuple(arguments), token.at))

    def negative(self, token: Token) -> Node:
        number = self.take()
        if number.kind != "number":
            raise ExpressionError("`-` stands before a number or between two", token.at)
        value = _const(number).value
        return self.made(
            Const(-value, token.at) if isinstance(value, int | float) else Const(value, token.at)
        )

    def infix(self, left: Node, token: Token) -> Node:
        match token.kind:
            case "and" | "or":
                return self.chain(left, token)
            case "+" | "-" | "*" | "/":
                right = self.expression(_POWER[token.kind])
                return self.made(Arithmetic(token.kind, left, right, token.at))
            case "in":
                return self.among(left, token)
            case "not":
                self.expect("in")
                return self.made(Not(self.among(left, token), token.at))
            case "is":
                return self.null(left, token)
            case "between":
                return self.between(left, token)
            case _:
                return self.comparison(left, token)

    def comparison(self, left: Node, token: Token) -> Node:
        right = self.expression(_COMPARISON)
        if self.token.kind in {"==", "!=", "<", "<=", ">", ">="}:
            raise ExpressionError(
                "comparisons do not chain; write `a < b and b < c`, or `between`", self.token.at
            )
        return self.made(Compare(token.kind, left, right, token.at))

    def chain(self, left: Node, token: Token) -> Node:
        parts = [left, self.expression(_POWER[token.kind])]
        while self.token.kind == token.kind:
            self.take()
            parts.append(self.expression(_POWER[token.kind]))
        return self.made((And if token.kind == "and" else Or)(tuple(parts), token.at))

    def null(self, left: Node, token: Token) -> Node:
        negated = self.token.kind == "not"
        if negated:
            self.take()
        self.expect("null")
        node = self.made(IsNull(left, token.at))
        return self.made(Not(node, token.at)) if negated else node

    def between(self, left: Node, token: Token) -> Node:
        low = self.expression(_COMPARISON)
        self.expect("and")
        high = self.expression(_COMPARISON)
        parts = (Compare(">=", left, low, token.at), Compare("<=", left, high, token.at))
        for part in parts:
            self.made(part)
        return self.made(And(parts, token.at))

    def among(self, left: Node, token: Token) -> Node:
        self.expect("[")
        values: list[Const] = []
        while True:
            value = self.prefix()
            if not isinstance(value, Const):
                raise ExpressionError("only constants stand inside [ ]", value.at)
            values.append(value)
            if len(values) > MEMBERS:
                raise ExpressionError(f"a list has at most {MEMBERS} members", value.at)
            if self.token.kind != ",":
                break
            self.take()
        self.expect("]")
        return self.made(Membership(left, tuple(values), token.at))


def _const(token: Token) -> Const:
    match token.kind:
        case "number":
            text = token.text.rstrip("%")
            value = float(text) if "." in text else int(text)
            return Const(value / 100 if token.text.endswith("%") else value, token.at)
        case "text":
            return Const(token.text[1:-1], token.at)
        case _:
            return Const(token.kind == "true", token.at)
