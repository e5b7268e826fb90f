"""The domain of a feature, an interval or a set of values, null or not; and the interval of an expression over them.

Every narrowing of a domain is exact. Rounding keeps order, so intervals computed in doubles contain what conditions
compute in doubles.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from services.cadence.expressions import tree
from services.cadence.features.registry import Feature

Value = str | int | float | bool
_FARTHEST = 1e100
"""No feature is farther from zero than this."""
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Domain:
    """The values a feature may have.

    `null`: it may be null. `some`: it may have a value other than null. `only`: no values but these; None: all.
    `never`: values excluded. `whole`: whole numbers alone. `number`: its values are numbers.
    """

    null: bool
    some: bool = True
    low: float = -math.inf
    low_open: bool = False
    high: float = math.inf
    high_open: bool = False
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
                return self._above(float(value), is_open=op == ">")
            case _:
                return self._below(float(value), is_open=op == "<")

    def among(self, values: Iterable[Value]) -> "Domain":
        members = tuple(values)
        left = members if self.only is None else tuple(value for value in self.only if value in members)
        return replace(self, null=False, only=left)

    def excluding(self, values: Iterable[Value]) -> "Domain":
        return replace(self, null=False, never=self.never.union(values))

    def _above(self, value: float, *, is_open: bool) -> "Domain":
        if self.whole:
            value, is_open = math.floor(value) + 1 if is_open else math.ceil(value), False
        if (value, is_open) <= (self.low, self.low_open):
            return self.be_known()
        return replace(self, null=False, low=value, low_open=is_open)

    def _below(self, value: float, *, is_open: bool) -> "Domain":
        if self.whole:
            value, is_open = math.ceil(value) - 1 if is_open else math.floor(value), False
        if (value, not is_open) >= (self.high, not self.high_open):
            return self.be_known()
        return replace(self, null=False, high=value, high_open=is_open)

    def admits(self, value: Value | None) -> bool:
        if value is None:
            return self.null
        if not self.some or value in self.never or (self.only is not None and value not in self.only):
            return False
        if not self.number:
            return True
        number = float(value)
        if self.whole and not number.is_integer():
            return False
        is_above = number > self.low or (number == self.low and not self.low_open)
        return is_above and (number < self.high or (number == self.high and not self.high_open))

    @property
    def is_empty(self) -> bool:
        return not self.null and not (self.some and self._has_values())

    def _has_values(self) -> bool:
        if self.only is not None:
            return any(self.admits(value) for value in self.only)
        if self.low >= self.high:
            return self.low == self.high and self.admits(self.low)
        if self.whole and math.isfinite(self.high - self.low) and self.high - self.low <= len(self.never):
            return any(self.admits(self.low + step) for step in range(int(self.high - self.low) + 1))
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
        ends = [end for end in (self.low, self.high) if math.isfinite(end)]
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
        case tree.Call(function=function, arguments=arguments):
            intervals = [interval(argument, domains) for argument in arguments]
            known = [part for part in intervals if part is not None]
            return _of_call(function, known) if len(known) == len(intervals) else None
        case tree.Arithmetic(op=op, left=left, right=right):
            return _of_arithmetic(op, interval(left, domains), interval(right, domains))
        case _:
            return None


def _of_domain(domain: Domain) -> Interval | None:
    if not domain.number:
        return None
    if domain.only:
        numbers = [float(value) for value in domain.only if domain.admits(value)]
        return (min(numbers), max(numbers)) if numbers else None
    return max(domain.low, -_FARTHEST), min(domain.high, _FARTHEST)


def _of_arithmetic(op: str, left: Interval | None, right: Interval | None) -> Interval | None:
    if left is None or right is None:
        return None
    match op:
        case "+":
            ends = [left[0] + right[0], left[1] + right[1]]
        case "-":
            ends = [left[0] - right[1], left[1] - right[0]]
        case "*":
            ends = [one * other for one in left for other in right]
        case _:
            ends = [one / other for one in left for other in right if other]
    # Beyond the largest double a difference is no number, and no comparison with it holds.
    return (min(ends), max(ends)) if ends and all(map(math.isfinite, ends)) else None


def _of_call(function: str, arguments: list[Interval]) -> Interval:
    (low, high), other = arguments[0], arguments[-1]
    match function:
        case "min":
            return min(low, other[0]), min(high, other[1])
        case "max":
            return max(low, other[0]), max(high, other[1])
        case "abs":
            return _absolute(low, high)
        case _:
            return _absolute(low - other[1], high - other[0])


def _absolute(low: float, high: float) -> Interval:
    return (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))
