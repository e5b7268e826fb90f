"""The domain of a feature, an interval or a set of values, null or not; and the interval of an expression over them.

Every narrowing of a domain is exact. Rounding keeps order, so intervals computed in doubles contain what conditions
compute in doubles.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product

from services.cadence.expressions import tree
from services.cadence.expressions.interpret import compute
from services.cadence.features.feature import Feature

Value = str | int | float | bool
_FARTHEST = 1e100
"""No feature is farther from zero than this."""
Interval = tuple[float, float]
End = tuple[float, int]
"""A number, or with 1 what is just above it, with -1 what is just below it."""


@dataclass(frozen=True, slots=True)
class Domain:
    """The values a feature may have.

    `null`: it may be null. `some`: it may have a value other than null. `only`: no values but these; None: all.
    `never`: values excluded. `whole`: whole numbers alone. `number`: its values are numbers.
    """

    null: bool
    some: bool = True
    low: End = (-math.inf, 0)
    high: End = (math.inf, 0)
    only: tuple[Value, ...] | None = None
    never: frozenset[Value] = frozenset()
    whole: bool = False
    number: bool = False

    def be_null(self) -> "Domain":
        return replace(self, some=False)

    def be_known(self) -> "Domain":
        return replace(self, null=False)

    def narrow(self, op: str, value: Value) -> "Domain":
        """Under a comparison with a constant, in which null never holds."""
        match op:
            case "==":
                return self.among((value,))
            case "!=":
                return self.excluding((value,))
            case ">" | ">=":
                return replace(self, null=False, low=max(self.low, self._end(op, float(value))))
            case _:
                return replace(self, null=False, high=min(self.high, self._end(op, float(value))))

    def _end(self, op: str, number: float) -> End:
        """Where the values begin or stop that compare so with a number."""
        side = {">": 1, "<": -1}.get(op, 0)
        if not self.whole:
            return number, side
        return (math.ceil(number) if op in {">=", "<"} else math.floor(number)) + side, 0

    def among(self, values: Iterable[Value]) -> "Domain":
        members = tuple(values)
        left = members if self.only is None else tuple(value for value in self.only if value in members)
        return replace(self, null=False, only=left)

    def excluding(self, values: Iterable[Value]) -> "Domain":
        return replace(self, null=False, never=self.never.union(values))

    def admits(self, value: Value | None) -> bool:
        if value is None:
            return self.null
        if not self.some or value in self.never or (self.only is not None and value not in self.only):
            return False
        if not self.number:
            return True
        number = float(value)
        return self.low <= (number, 0) <= self.high and (number.is_integer() or not self.whole)

    @property
    def is_empty(self) -> bool:
        return not self.null and not (self.some and self._has_values())

    def _has_values(self) -> bool:
        if self.only is not None:
            return any(self.admits(value) for value in self.only)
        (low, _), (high, _) = self.low, self.high
        if low >= high:
            return low == high and self.admits(low)
        if self.whole and math.isfinite(high - low) and high - low <= len(self.never):
            return any(self.admits(low + step) for step in range(int(high - low) + 1))
        return True

    @property
    def is_finite(self) -> bool:
        """Whether `samples` lists all values."""
        return not self.some or self.only is not None

    def samples(self, near: Iterable[object] = ()) -> tuple[Value | None, ...]:
        """Values it admits: all of a finite one; else those in `near`, its ends, and values beside and between them."""
        if self.is_finite:
            values: Iterable[Value] = self.only or () if self.some else ()
        elif self.number:
            values = (*numbers_in(near), *self._numbers())
        else:
            values = (*(text for text in near if isinstance(text, str)), *_texts(self.never))
        admitted = [value for value in dict.fromkeys(values) if self.admits(value)]
        return (*admitted, None) if self.null else tuple(admitted)

    def _numbers(self) -> Iterator[int | float]:
        ends = [end for end, _ in (self.low, self.high) if math.isfinite(end)]
        points = sorted({*ends, *(float(end) for end in self.never if not isinstance(end, str))} or {0.0})
        for point in (*points, points[0] - 1, points[-1] + 1):
            yield as_integer(point)
        for low, high in pairwise(points):
            between = (low + high) / 2
            yield as_integer(math.floor(between) if self.whole else between)
        for point in points:
            yield as_integer(math.floor(point) + 1)
            yield as_integer(math.ceil(point) - 1)


def domain_of(feature: Feature) -> Domain:
    """All values that the type of a feature allows."""
    only = (True, False) if feature.kind == "truth" else feature.values or None
    return Domain(
        feature.nullable, only=only, whole=feature.counts is not None, number=feature.kind == "number"
    )


def numbers_in(values: Iterable[object]) -> list[int | float]:
    return [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]


def as_integer(number: float) -> int | float:
    """A whole number as an int, any other as it is."""
    return int(number) if float(number).is_integer() else number


def _texts(never: frozenset[Value]) -> Iterator[str]:
    """At least one text that is not excluded."""
    for count in range(len(never) + 1):
        yield "another" + "-" * count


def is_impossible(node: tree.Node, domains: Mapping[str, Domain], *, wanted: bool) -> bool:
    """Whether this comparison of numbers can never be as `wanted`. False where that is not known."""
    match node:
        case tree.Compare(op=op, left=left, right=right):
            return _never(
                op if wanted else tree.NEGATED[op], interval(left, domains), interval(right, domains)
            )
        case tree.Membership(item=item, values=members) if wanted:
            of_item = interval(item, domains)
            return all(_never("==", of_item, interval(member, domains)) for member in members)
        case _:
            return False


def _never(op: str, left: Interval | None, right: Interval | None) -> bool:
    if left is None or right is None:
        return False
    return {
        "==": left[1] < right[0] or right[1] < left[0],
        "!=": left[0] == left[1] == right[0] == right[1],
        "<": left[0] >= right[1],
        "<=": left[0] > right[1],
        ">": left[1] <= right[0],
        ">=": left[1] < right[0],
    }[op]


def interval(node: tree.Node, domains: Mapping[str, Domain]) -> Interval | None:
    """The least and the greatest value of a node; None where it is no number or may be unbounded."""
    match node:
        case tree.Const(value=value):
            return None if isinstance(value, str | bool) else (float(value), float(value))
        case tree.Name(name=name):
            return _of_domain(domains[name])
        case tree.Call(function="days_between", arguments=(left, right), at=at):
            difference = tree.Arithmetic("-", left, right, at)
            return interval(tree.Call("abs", (difference,), at), domains)
        case tree.Call() | tree.Arithmetic():
            operands = [interval(child, domains) for child in tree.children(node)]
            known = [operand for operand in operands if operand is not None]
            return _of_operation(node, known) if len(known) == len(operands) else None
        case _:
            return None


def _of_domain(domain: Domain) -> Interval | None:
    if not domain.number:
        return None
    if domain.only:
        numbers = [float(value) for value in domain.only if domain.admits(value)]
        return (min(numbers), max(numbers)) if numbers else None
    return max(domain.low[0], -_FARTHEST), min(domain.high[0], _FARTHEST)


def _of_operation(node: tree.Call | tree.Arithmetic, operands: Sequence[Interval]) -> Interval | None:
    """Every operation is extreme at the ends of its operands, and `abs` also where its operand is zero."""
    results = [compute(node, ends) for ends in product(*operands)]
    if isinstance(node, tree.Call) and node.function == "abs" and operands[0][0] <= 0 <= operands[0][1]:
        results.append(0.0)
    # Beyond the largest double a difference is no number, and no comparison with it holds.
    return (min(results), max(results)) if all(map(math.isfinite, results)) else None
